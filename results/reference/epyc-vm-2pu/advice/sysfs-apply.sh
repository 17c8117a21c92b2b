#!/bin/sh
# Written by numaslab: changes slab caches by sysfs. To be run as root;
# sysfs-undo.sh takes it back, and so does a reboot. Caches that the
# kernel merged share what is set.
echo 'nothing to do: no setting of sysfs is advised'
