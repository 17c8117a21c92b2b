
array over[@NR_XLABELS@] = [@XLABELS@]
xname = over[1]
LOG = 0
