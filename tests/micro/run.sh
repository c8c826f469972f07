#!/bin/sh
# Compile the micro-kernels of instruction sets and compare each with plain loops: tests/micro/run.sh neon invented avx2.
# PYTHON writes the table of micro-kernels and names the types; programs need none.  CC is the compiler, and CFLAGS are added to its flags.  Where this
# machine is not aarch64, NEON is cross compiled and run by qemu.  TYPES="f32 f64" leaves out the tables of other types.
set -eu
cd "$(dirname "$0")/../.."
simd=fastconv/backends/cython/simd
here=tests/micro
out=build/micro
mkdir -p $out
${PYTHON:-python3} $simd/interface.py
types=$(${PYTHON:-python3} -c "
import runpy
tables = runpy.run_path('fastconv/backends/cython/runtime/dtypes.py')['TABLES'].values()
few = '${TYPES:-}'.split()
known = [table for table in tables if 'FC_BFLOAT16' >= table.stored or table.stored == 'FC_FLOAT16']
print(*(':'.join(map(str, table[:3])) for table in known if not few or table[0] in few))")
for isa in "$@"; do
    compiler=${CC:-gcc}
    run=
    header=isa/$isa.h
    flags="-O3 -fno-math-errno -fno-predictive-commoning"
    masks=0 # HAS_MASKS of its header
    case $isa in
    avx512)
        flags="$flags -march=x86-64-v4 -mprfchw -mprefer-vector-width=512"
        masks=1
        ;;
    avx2) flags="$flags -march=x86-64-v3 -mprfchw" ;;
    neon)
        if [ "$(uname -m)" != aarch64 ]; then
            compiler=${CROSS:-aarch64-linux-gnu-gcc}
            run=${QEMU:-qemu-aarch64-static}
        fi
        ;;
    invented)
        header=invented.h
        flags=-O0 # the tests compile it
        if [ "$(uname -m)" = x86_64 ]; then flags="$flags -march=x86-64-v3"; fi
        ;;
    esac
    common="-Wall -Wno-psabi -I$simd -I$here ${CFLAGS:-}"
    for type in $types; do # name:double:stored
        table=fc_${isa}_${type%%:*}
        double=${type#*:}
        set_up="-DFC_TABLE=$table -DFC_DOUBLE=${double%:*} -DFC_STORED=${type##*:}"
        $compiler $flags $common $set_up "-DFC_HEADER=\"$header\"" -c $simd/kernels.c -o $out/$table.o
        $compiler -O1 $common $set_up -DMASKS=$masks $here/*.c $out/$table.o -static -lm -o $out/$table
        echo "$table"
        $run $out/$table
    done
done
