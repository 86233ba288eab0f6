// What a simulated disk consists of; for simulated_disk.c, which keeps it, and simulated_vfs.c, which shows it to SQLite.
// Whoever calls these functions holds the mutex of the disk.

#ifndef CONCORD_SIMULATED_DISK_FILES_H
#define CONCORD_SIMULATED_DISK_FILES_H

#include "simulated_disk.h"

#include <pthread.h>
#include <sqlite3.h>

enum { sector = 512, largest_shared_regions = 64 };

typedef struct {
    int64_t offset;
    int64_t count;
    uint8_t *bytes; // NULL for a truncation to `offset`
} pending_write;

typedef struct {
    uint8_t *bytes;
    int64_t size;
    int64_t capacity;
} image;

typedef struct disk_file {
    struct disk_file *next;
    simulated_disk *disk;
    char *name; // NULL for a file without a name, which goes when it is closed
    image data;
    image durable;
    pending_write *pending;
    int64_t pending_count;
    int64_t pending_capacity;
    int is_entry_durable;
    int is_stale;
    int handles;
    // Locks of the file, and of its shared memory.
    int shared_locks;
    struct open_file *reserved;
    struct open_file *exclusive;
    void *regions[largest_shared_regions];
    int region_count;
    int shared_slots[SQLITE_SHM_NLOCK];
    int exclusive_slots[SQLITE_SHM_NLOCK];
} disk_file;

struct simulated_disk {
    simulated_disk *next;
    int32_t number;
    pthread_mutex_t mutex;
    uint64_t random;
    disk_file *files;
    simulated_disk_faults faults;
    int64_t fail_after;
    int is_dead;
    int is_gone; // destroyed, and freed with the last handle
    int handles;
    simulated_disk_counts counts;
};

typedef struct open_file {
    sqlite3_file base;
    disk_file *file;
    int lock;
    uint16_t shared_mask;
    uint16_t exclusive_mask;
} open_file;

/// Spreads the bits of a word.
uint64_t disk_mix(uint64_t word);
/// A number below a bound.
uint64_t disk_draw(simulated_disk *disk, uint64_t bound);
/// True as often as a rate out of ten thousand says.
int disk_happens(simulated_disk *disk, int32_t rate);

/// Makes an image longer or shorter; 0 if there is no memory.
int disk_set_size(image *image, int64_t size);
/// Puts bytes into an image; 0 if there is no memory.
int disk_put(image *image, const uint8_t *bytes, int64_t offset, int64_t count);

/// The disk to which a name belongs; needs no mutex.
simulated_disk *disk_of(const char *name);
/// The file of this name, NULL if there is none.
disk_file *disk_find_file(simulated_disk *disk, const char *name);
/// A new file; without a name it is not on the disk, and goes with its last handle.
disk_file *disk_make_file(simulated_disk *disk, const char *name);
/// Frees a file that is on no disk.
void disk_free_file(disk_file *file);
/// Takes a file off the disk; who has it open goes on with it, or is cut off.
void disk_unlink_file(simulated_disk *disk, disk_file *file, int is_stale);

/// Remembers a write, or with no bytes a truncation, until it is synced; 0 if there is no memory.
int disk_note(disk_file *file, const void *bytes, int64_t offset, int64_t count);
/// Makes a write durable; 0 if there is no memory.
int disk_settle_write(image *image, const pending_write *write);
/// Makes durable what chance leaves of the pending writes.
void disk_settle_by_chance(disk_file *file);
/// Forgets all pending writes.
void disk_forget_pending(disk_file *file);

#endif
