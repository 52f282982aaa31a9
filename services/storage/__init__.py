"""Where files of runs lie: a folder of this machine or a bucket, behind one face (`store.py`)."""
