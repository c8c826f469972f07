# Each target is one line of CONTRIBUTING.md; PYTHON is the interpreter that fastconv is installed in.
PYTHON ?= python3
MINUTES ?= 30
RUNS ?= 300000

.PHONY: build check imports test coverage bench bench-quick docs site fuzz soak sanitize threads micro neon

build:
	$(PYTHON) setup.py build_ext --inplace

check: imports
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -q -x tests/test_lecture.py tests/ops/test_semantics.py tests/dispatch/test_plan.py

imports:
	$(PYTHON) -m pytest -q tests/test_imports.py

test:
	$(PYTHON) -m pytest -n auto

coverage:
	$(PYTHON) -m pytest -q -n auto --cov --cov-report=term

bench:
	$(PYTHON) -m pytest benchmarks --benchmark-group-by=param:problem

# About five minutes.
bench-quick:
	$(PYTHON) -m pytest benchmarks -q --quick --suite lecture --suite tiny --suite audio --suite gemm --benchmark-group-by=param:problem

# The site, docs/_build/html: every example runs, and a warning is an error.
docs: site
	$(PYTHON) -m pytest -q tests/test_documents.py

site:
	$(PYTHON) -m sphinx -W --keep-going -n -q -b html -d docs/_build/doctrees docs docs/_build/html

fuzz:
	$(PYTHON) -m tests.fuzz --minutes $(MINUTES)

# 100,000 calls with ever new shapes: the process must not grow by more than 100 MiB.
soak:
	$(PYTHON) -m tests.soak

# The modules in build/$(1) before those of this folder, whose tests are run on them; scratch is exact and full of NaN.
on = PYTHONSAFEPATH=1 PYTHONPATH=build/$(1)/lib:. FASTCONV_DEBUG_SCRATCH=1 OPENBLAS_NUM_THREADS=1
compiled = FASTCONV_SANITIZE=$(1) FASTCONV_REQUIRE_NATIVE=1 $(PYTHON) setup.py -q build --build-base build/$(1) --build-lib build/$(1)/lib

# Whatever malloc gives is full of NaN, too. The preloaded library must be the compiler's, and C++ exceptions need theirs beside it.
address = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so.6)" \
	ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=64:max_malloc_fill_size=1073741824:malloc_fill_byte=255:allocator_may_return_null=1 \
	UBSAN_OPTIONS=print_stacktrace=1 $(call on,address) $(PYTHON)

sanitize:
	CC=gcc $(call compiled,address)
	$(address) tests/sanitizers/faults.py --runs $(RUNS)
	$(address) -m tests.fuzz --backend cython --runs 20000 --no-minimise --no-keep
	$(address) -m pytest -q -p no:cacheprovider -k "not numba" $$(grep -rl "^from tests.guard" tests)

# OMP_TOOL_LIBRARIES is what tells ThreadSanitizer how OpenMP's threads wait for each other. Its own library is gcc's: the one
# of clang 14 cannot be preloaded. Addresses are not drawn at random, which ThreadSanitizer does not bear on all kernels of Linux.
thread = OMP_TOOL_LIBRARIES="$$(clang -print-resource-dir)/../../libarcher.so" \
	TSAN_OPTIONS=ignore_noninstrumented_modules=1:suppressions=tests/sanitizers/thread.supp:halt_on_error=0:exitcode=66 \
	$(call on,thread) setarch -R env LD_PRELOAD="$$(gcc -print-file-name=libtsan.so)" $(PYTHON)

threads:
	CC=clang $(call compiled,thread)
	$(thread) tests/sanitizers/threads.py --isa portable

# Each micro-kernel against plain loops in C: those of an instruction set that no CPU has, and those of NEON, under qemu.
micro:
	PYTHON=$(PYTHON) sh tests/micro/run.sh invented portable

neon:
	PYTHON=$(PYTHON) sh tests/micro/run.sh neon
