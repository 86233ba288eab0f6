// Signatures and certificates that come out the same on every run of a seed: OpenSSL draws a nonce for each, which here
// follows from a seed. Keys that were used so are worth nothing elsewhere.

#ifndef CONCORD_SIMULATED_CHANCE_H
#define CONCORD_SIMULATED_CHANCE_H

#include <stdint.h>

/// From here on, and only on this thread, what OpenSSL draws follows from the seed.
void simulated_chance_begin(uint64_t seed);
/// From here on this thread draws from OpenSSL's own source again.
void simulated_chance_end(void);

#endif
