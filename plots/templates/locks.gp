
xname = 'object size'
