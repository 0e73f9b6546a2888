"""How many pods, cores, disks and how much bandwidth a number of calls and agents needs."""
