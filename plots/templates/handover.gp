
xname = 'PU (OS index)'
LOG = 0
