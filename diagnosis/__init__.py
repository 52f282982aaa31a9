"""The numerical floor: signals, features, models and curve arithmetic; arrays in, arrays out.

Nothing here knows a table, a request or a file. scikit-learn is imported inside the functions that train, because the
web process reads this package too (smoothing, down-sampling, statistics) and must not carry it in memory.
"""
