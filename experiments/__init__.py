"""Experiments on top of semcom: the command line, suites, figures, curves and benchmarks.

``__init__.pyi`` lists the public names. Each is imported on first use, so that
``import experiments`` takes no time.

Examples
--------
>>> import experiments
>>> suite = experiments.Suite(images="photos", segmenter="graph", snr_db=[4, 10])
>>> [setting.snr_db for _, setting in suite.settings()]
[4.0, 10.0]
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
