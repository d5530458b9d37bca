"""Engines that read an inquiry: no Django model is imported below this package."""

import os

# A worker reads many inquiries at once: several BLAS threads for one short message only wait for each other
# (240 words: p95 263 ms with two threads, 29-69 ms with one, measured on two cores). Read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
