"""Floor 5: measuring.  Suites as data, peers, interleaved timing, comparison, reports.

* api.py: the public doors, `fastconv.compare` and `fastconv.backends`
* suites.py: real layer shapes, as data
* work.py: one operation with its arrays, and its float64 result
* peers/: the same work by other libraries, one file each
* timing.py: interleaved samples, medians, spread
* roofline.py: what this machine could do: peak and bandwidth, measured
* compare.py: one problem: every kernel and every peer, checked, then timed
* suite.py: many problems: `fastconv bench`
* table.py, html.py, plot.py: the same records as text, page and picture
* progress.py: a bar on a terminal, silence elsewhere
* backends.py, info.py: what is usable here, and why the rest is not
"""
