
xname = 'ms'
LOG = 1
ML = 54
