
xname = 'freeing node'
LOG = 0
