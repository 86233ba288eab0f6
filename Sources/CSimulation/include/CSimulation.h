// What the simulator needs below Swift.

#ifndef CONCORD_SIMULATION_H
#define CONCORD_SIMULATION_H

#include "simulated_chance.h"
#include "simulated_disk.h"

#endif
