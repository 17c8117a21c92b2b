
xname = 'ms'
LOG = 1
