
xname = 'PU (OS index)'
LOG = 0
ML = 54
