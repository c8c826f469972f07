"""Floor 5: measuring.  Suites as data, peers, interleaved timing, comparison, reports.

* api.py: the public doors, `fastconv.compare` and `fastconv.backends`
* suites.py: real layer shapes, as data
* work.py: one operation with its arrays, and its float64 result
* peers/: the same work by other libraries, one file each
* timing.py: interleaved samples, medians, spread
* roofline.py: peak and bandwidth of this machine, measured
* records.py: what is measured, as data
* table.py, html.py, plot.py: views of records: as text, page and picture
* results.py: records that show themselves, as `fastconv.compare` returns them
* measure.py: one problem: every kernel and every peer, checked, then timed
* suite.py: many problems: `fastconv bench`
* selftest.py, selftest_cases.py: every kernel against the reference, on small problems: `fastconv selftest`
* backends_page.py: ten operations by NumPy, Numba and Cython: `fastconv backends`
* tune.py: times that later choices use: `fastconv tune`
* progress.py: a bar on a terminal, silence elsewhere
* backends.py, info.py: what is usable here, and why the rest is not

Imports go from records to views to measurements, never back.
"""
