
xname = 'freeing node'
LOG = 0
ML = 54
