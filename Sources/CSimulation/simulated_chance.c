// OpenSSL asks one source of randomness for the whole process. The one that is put in its place here gives every thread
// what OpenSSL would have given it, except between begin and end.

#define OPENSSL_API_COMPAT 10101

#include "simulated_chance.h"

#include <openssl/rand.h>
#include <pthread.h>

static _Thread_local int is_seeded;
static _Thread_local uint64_t state;
static pthread_once_t installed = PTHREAD_ONCE_INIT;

static int draw_bytes(unsigned char *bytes, int count) {
    if (!is_seeded) return RAND_OpenSSL()->bytes(bytes, count);
    for (int index = 0; index < count; index++) {
        state += 0x9e3779b97f4a7c15u;
        uint64_t word = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
        word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
        bytes[index] = (unsigned char)(word >> 56);
    }
    return 1;
}

static int is_ready(void) { return 1; }

static const RAND_METHOD method = {
    .bytes = draw_bytes,
    .pseudorand = draw_bytes,
    .status = is_ready,
};

static void install(void) { RAND_set_rand_method(&method); }

void simulated_chance_begin(uint64_t seed) {
    pthread_once(&installed, install);
    state = seed;
    is_seeded = 1;
}

void simulated_chance_end(void) { is_seeded = 0; }
