// The simulated disk. What always holds: `data` of a file is what every process sees; `durable` is what surely survives
// a loss of power; `pending` are the writes and truncations that lead from the one to the other, in order. A sync makes
// both equal. Shared memory and locks belong to the running process and go with it.
//
// All state of a disk is guarded by its mutex; the list of disks by another one. A file that a crash has cut off is
// `stale`: whoever has it open gets errors, and it is freed with the last handle.

#define _POSIX_C_SOURCE 200809L

#include "simulated_disk.h"

#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

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

static pthread_mutex_t disks_mutex = PTHREAD_MUTEX_INITIALIZER;
static simulated_disk *disks;
static int32_t last_number;

// MARK: Chance

static uint64_t mix(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

static uint64_t draw(simulated_disk *disk, uint64_t bound) {
    disk->random += 0x9e3779b97f4a7c15u;
    return mix(disk->random) % bound;
}

static int happens(simulated_disk *disk, int32_t rate) {
    return rate > 0 && draw(disk, 10000) < (uint64_t)rate;
}

// MARK: Images

static int reserve(image *image, int64_t size) {
    if (size <= image->capacity) return 1;
    int64_t capacity = image->capacity ? image->capacity : 4096;
    while (capacity < size) capacity *= 2;
    uint8_t *bytes = realloc(image->bytes, (size_t)capacity);
    if (!bytes) return 0;
    image->bytes = bytes;
    image->capacity = capacity;
    return 1;
}

static int set_size(image *image, int64_t size) {
    if (!reserve(image, size)) return 0;
    if (size > image->size) memset(image->bytes + image->size, 0, (size_t)(size - image->size));
    image->size = size;
    return 1;
}

static int put(image *image, const uint8_t *bytes, int64_t offset, int64_t count) {
    if (offset + count > image->size && !set_size(image, offset + count)) return 0;
    memcpy(image->bytes + offset, bytes, (size_t)count);
    return 1;
}

static int assign(image *image, const struct disk_file *source) {
    image->size = 0;
    if (!set_size(image, source->data.size)) return 0;
    if (source->data.size) memcpy(image->bytes, source->data.bytes, (size_t)source->data.size);
    return 1;
}

// MARK: Files

static void forget_pending(disk_file *file) {
    for (int64_t index = 0; index < file->pending_count; index++) free(file->pending[index].bytes);
    file->pending_count = 0;
}

static void free_file(disk_file *file) {
    forget_pending(file);
    for (int region = 0; region < file->region_count; region++) free(file->regions[region]);
    free(file->pending);
    free(file->data.bytes);
    free(file->durable.bytes);
    free(file->name);
    free(file);
}

static disk_file *find_file(simulated_disk *disk, const char *name) {
    for (disk_file *file = disk->files; file; file = file->next)
        if (strcmp(file->name, name) == 0) return file;
    return NULL;
}

static disk_file *make_file(simulated_disk *disk, const char *name) {
    disk_file *file = calloc(1, sizeof(disk_file));
    if (!file) return NULL;
    file->disk = disk;
    if (!name) return file;
    file->name = strdup(name);
    file->next = disk->files;
    disk->files = file;
    return file;
}

// Takes a file off the disk; who has it open goes on with it, or is cut off.
static void unlink_file(simulated_disk *disk, disk_file *file, int is_stale) {
    for (disk_file **place = &disk->files; *place; place = &(*place)->next) {
        if (*place != file) continue;
        *place = file->next;
        break;
    }
    file->next = NULL;
    file->is_stale |= is_stale;
    if (file->handles == 0) free_file(file);
}

static int note(disk_file *file, const void *bytes, int64_t offset, int64_t count) {
    if (!file->name) return 1;
    if (file->pending_count == file->pending_capacity) {
        int64_t capacity = file->pending_capacity ? 2 * file->pending_capacity : 16;
        pending_write *grown = realloc(file->pending, (size_t)capacity * sizeof(pending_write));
        if (!grown) return 0;
        file->pending = grown;
        file->pending_capacity = capacity;
    }
    pending_write write = {offset, count, NULL};
    if (bytes) {
        write.bytes = malloc((size_t)(count ? count : 1));
        if (!write.bytes) return 0;
        memcpy(write.bytes, bytes, (size_t)count);
    }
    file->pending[file->pending_count++] = write;
    return 1;
}

static int settle_write(image *image, const pending_write *write) {
    return write->bytes ? put(image, write->bytes, write->offset, write->count) : set_size(image, write->offset);
}

// What survives of the pending writes: each as a whole, not at all, or some sectors of it.
static void settle_by_chance(disk_file *file) {
    simulated_disk *disk = file->disk;
    uint64_t manner = draw(disk, 4);
    for (int64_t index = 0; index < file->pending_count; index++) {
        pending_write *write = &file->pending[index];
        uint64_t fate = manner == 0 ? 0 : manner == 1 ? 1 : draw(disk, manner == 2 ? 2 : 3);
        if (fate == 0) {
            disk->counts.dropped_writes++;
        } else if (fate == 1 || !write->bytes) {
            settle_write(&file->durable, write);
        } else {
            disk->counts.torn_writes++;
            int64_t end = write->offset + write->count;
            for (int64_t start = write->offset; start < end;) {
                int64_t next = (start / sector + 1) * sector;
                if (next > end) next = end;
                if (draw(disk, 2)) put(&file->durable, write->bytes + (start - write->offset), start, next - start);
                start = next;
            }
        }
    }
    forget_pending(file);
}

// MARK: Operations

// Counts an operation that changes the disk down; gives 1 if the power fails in the middle of it.
static int fails_now(simulated_disk *disk) {
    if (disk->fail_after == 0 || --disk->fail_after > 0) return 0;
    disk->is_dead = 1;
    disk->counts.failed++;
    return 1;
}

static simulated_disk *enter(open_file *open) {
    simulated_disk *disk = open->file->disk;
    pthread_mutex_lock(&disk->mutex);
    return disk;
}

static int leave(simulated_disk *disk, int code) {
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int is_cut_off(simulated_disk *disk, disk_file *file) { return disk->is_dead || file->is_stale; }

static int file_read(sqlite3_file *handle, void *buffer, int count, sqlite3_int64 offset) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    if (is_cut_off(disk, file)) return leave(disk, SQLITE_IOERR_READ);
    disk->counts.reads++;
    if (file->name && happens(disk, disk->faults.read_errors)) {
        disk->counts.failed++;
        return leave(disk, SQLITE_IOERR_READ);
    }
    int64_t there = file->data.size > offset ? file->data.size - offset : 0;
    if (there > count) there = count;
    if (there > 0) memcpy(buffer, file->data.bytes + offset, (size_t)there);
    if (there == count) return leave(disk, SQLITE_OK);
    memset((uint8_t *)buffer + there, 0, (size_t)(count - there));
    return leave(disk, SQLITE_IOERR_SHORT_READ);
}

static int file_write(sqlite3_file *handle, const void *bytes, int count, sqlite3_int64 offset) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    if (is_cut_off(disk, file)) return leave(disk, SQLITE_IOERR_WRITE);
    disk->counts.writes++;
    if (file->name) {
        if (fails_now(disk)) {
            // It may have reached the disk in part.
            if (!put(&file->data, bytes, offset, count) || !note(file, bytes, offset, count))
                return leave(disk, SQLITE_IOERR_NOMEM);
            return leave(disk, SQLITE_IOERR_WRITE);
        }
        if (disk->faults.is_full && offset + count > file->data.size) {
            disk->counts.failed++;
            return leave(disk, SQLITE_FULL);
        }
        if (happens(disk, disk->faults.write_errors)) {
            disk->counts.failed++;
            return leave(disk, SQLITE_IOERR_WRITE);
        }
    }
    if (!put(&file->data, bytes, offset, count) || !note(file, bytes, offset, count))
        return leave(disk, SQLITE_IOERR_NOMEM);
    return leave(disk, SQLITE_OK);
}

static int file_truncate(sqlite3_file *handle, sqlite3_int64 size) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    if (is_cut_off(disk, file) || (file->name && fails_now(disk))) return leave(disk, SQLITE_IOERR_TRUNCATE);
    if (!set_size(&file->data, size) || !note(file, NULL, size, 0)) return leave(disk, SQLITE_IOERR_NOMEM);
    return leave(disk, SQLITE_OK);
}

static int file_sync(sqlite3_file *handle, int flags) {
    (void)flags;
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    if (is_cut_off(disk, file)) return leave(disk, SQLITE_IOERR_FSYNC);
    if (!file->name) return leave(disk, SQLITE_OK);
    disk->counts.syncs++;
    if (fails_now(disk)) return leave(disk, SQLITE_IOERR_FSYNC);
    if (happens(disk, disk->faults.sync_errors)) {
        // What could not be written counts as written from then on: nothing tries again.
        disk->counts.failed++;
        settle_by_chance(file);
        return leave(disk, SQLITE_IOERR_FSYNC);
    }
    for (int64_t index = 0; index < file->pending_count; index++)
        if (!settle_write(&file->durable, &file->pending[index])) return leave(disk, SQLITE_IOERR_NOMEM);
    forget_pending(file);
    file->is_entry_durable = 1;
    return leave(disk, SQLITE_OK);
}

static int file_size(sqlite3_file *handle, sqlite3_int64 *size) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    if (is_cut_off(disk, open->file)) return leave(disk, SQLITE_IOERR_FSTAT);
    *size = open->file->data.size;
    return leave(disk, SQLITE_OK);
}

// MARK: Locks

static int file_lock(sqlite3_file *handle, int level) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    if (is_cut_off(disk, file)) return leave(disk, SQLITE_IOERR_LOCK);
    if (open->lock >= level) return leave(disk, SQLITE_OK);
    if (happens(disk, disk->faults.busy_locks)) return leave(disk, SQLITE_BUSY);
    if (open->lock == SQLITE_LOCK_NONE) {
        if (file->exclusive) return leave(disk, SQLITE_BUSY);
        file->shared_locks++;
        open->lock = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED && open->lock < level) {
        if (file->reserved && file->reserved != open) return leave(disk, SQLITE_BUSY);
        file->reserved = open;
        if (open->lock < SQLITE_LOCK_RESERVED) open->lock = SQLITE_LOCK_RESERVED;
    }
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        // New readers are kept away while the present ones are waited for.
        file->exclusive = open;
        open->lock = SQLITE_LOCK_PENDING;
        if (file->shared_locks > 1) return leave(disk, SQLITE_BUSY);
        open->lock = SQLITE_LOCK_EXCLUSIVE;
    }
    return leave(disk, SQLITE_OK);
}

static void unlock(open_file *open, int level) {
    disk_file *file = open->file;
    if (open->lock <= level) return;
    if (file->exclusive == open) file->exclusive = NULL;
    if (file->reserved == open) file->reserved = NULL;
    if (level == SQLITE_LOCK_NONE && open->lock >= SQLITE_LOCK_SHARED) file->shared_locks--;
    open->lock = level;
}

static int file_unlock(sqlite3_file *handle, int level) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    unlock(open, level);
    return leave(disk, SQLITE_OK);
}

static int file_check_reserved(sqlite3_file *handle, int *is_reserved) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    *is_reserved = open->file->reserved != NULL;
    return leave(disk, SQLITE_OK);
}

static int file_control(sqlite3_file *handle, int operation, void *argument) {
    (void)handle, (void)operation, (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *handle) {
    (void)handle;
    return 4096;
}

static int file_characteristics(sqlite3_file *handle) {
    (void)handle;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// MARK: Shared memory

static int shared_map(sqlite3_file *handle, int region, int size, int must_extend, void volatile **found) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    *found = NULL;
    if (is_cut_off(disk, file) || region >= largest_shared_regions) return leave(disk, SQLITE_IOERR_SHMMAP);
    while (file->region_count <= region) {
        if (!must_extend) return leave(disk, SQLITE_OK);
        void *bytes = calloc(1, (size_t)size);
        if (!bytes) return leave(disk, SQLITE_IOERR_NOMEM);
        file->regions[file->region_count++] = bytes;
    }
    *found = file->regions[region];
    return leave(disk, SQLITE_OK);
}

static void release_slots(open_file *open, uint16_t mask) {
    disk_file *file = open->file;
    for (int slot = 0; slot < SQLITE_SHM_NLOCK; slot++) {
        uint16_t bit = (uint16_t)(1u << slot);
        if (mask & open->exclusive_mask & bit) file->exclusive_slots[slot] = 0;
        if (mask & open->shared_mask & bit) file->shared_slots[slot]--;
    }
    open->exclusive_mask &= (uint16_t)~mask;
    open->shared_mask &= (uint16_t)~mask;
}

static int shared_lock(sqlite3_file *handle, int first, int count, int flags) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    uint16_t mask = (uint16_t)(((1u << count) - 1) << first);
    if (flags & SQLITE_SHM_UNLOCK) {
        release_slots(open, mask);
        return leave(disk, SQLITE_OK);
    }
    if (is_cut_off(disk, file)) return leave(disk, SQLITE_IOERR_SHMLOCK);
    if (happens(disk, disk->faults.busy_locks)) return leave(disk, SQLITE_BUSY);
    for (int slot = first; slot < first + count; slot++) {
        uint16_t bit = (uint16_t)(1u << slot);
        int others = file->shared_slots[slot] - (open->shared_mask & bit ? 1 : 0);
        int is_taken = file->exclusive_slots[slot] && !(open->exclusive_mask & bit);
        if (is_taken || (flags & SQLITE_SHM_EXCLUSIVE && others > 0)) return leave(disk, SQLITE_BUSY);
    }
    for (int slot = first; slot < first + count; slot++) {
        uint16_t bit = (uint16_t)(1u << slot);
        if (flags & SQLITE_SHM_EXCLUSIVE) {
            file->exclusive_slots[slot] = 1;
            open->exclusive_mask |= bit;
        } else if (!(open->shared_mask & bit)) {
            file->shared_slots[slot]++;
            open->shared_mask |= bit;
        }
    }
    return leave(disk, SQLITE_OK);
}

static void shared_barrier(sqlite3_file *handle) {
    (void)handle;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static int shared_unmap(sqlite3_file *handle, int must_delete) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    release_slots(open, 0xffff);
    disk_file *file = open->file;
    if (must_delete && !file->is_stale) {
        for (int region = 0; region < file->region_count; region++) free(file->regions[region]);
        file->region_count = 0;
    }
    return leave(disk, SQLITE_OK);
}

static int file_close(sqlite3_file *handle) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    unlock(open, SQLITE_LOCK_NONE);
    release_slots(open, 0xffff);
    int is_on_disk = file->name && find_file(disk, file->name) == file;
    if (--file->handles == 0 && !is_on_disk) free_file(file);
    int is_last = --disk->handles == 0 && disk->is_gone;
    pthread_mutex_unlock(&disk->mutex);
    if (is_last) free(disk);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shared_map,
    .xShmLock = shared_lock,
    .xShmBarrier = shared_barrier,
    .xShmUnmap = shared_unmap,
};

// MARK: The file system

static simulated_disk *disk_of(const char *name) {
    int32_t number = name && name[0] == '/' ? (int32_t)strtol(name + 1, NULL, 10) : 0;
    pthread_mutex_lock(&disks_mutex);
    simulated_disk *disk = disks;
    while (disk && disk->number != number) disk = disk->next;
    pthread_mutex_unlock(&disks_mutex);
    return disk;
}

// Where files without a name lie.
static simulated_disk nowhere = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *handle, int flags, int *out_flags) {
    (void)vfs;
    open_file *open = (open_file *)handle;
    memset(open, 0, sizeof(*open));
    simulated_disk *disk = name ? disk_of(name) : &nowhere;
    if (!disk) return SQLITE_CANTOPEN;
    pthread_mutex_lock(&disk->mutex);
    if (disk->is_dead) return leave(disk, SQLITE_CANTOPEN);
    disk_file *file = name ? find_file(disk, name) : NULL;
    if (!file) {
        if (!(flags & SQLITE_OPEN_CREATE)) return leave(disk, SQLITE_CANTOPEN);
        if (name && disk->faults.is_full) return leave(disk, SQLITE_FULL);
        file = make_file(disk, name);
        if (!file) return leave(disk, SQLITE_NOMEM);
    }
    file->handles++;
    disk->handles++;
    open->file = file;
    open->base.pMethods = &methods;
    if (out_flags) *out_flags = flags;
    return leave(disk, SQLITE_OK);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int must_sync) {
    (void)vfs, (void)must_sync;
    simulated_disk *disk = disk_of(name);
    if (!disk) return SQLITE_IOERR_DELETE_NOENT;
    pthread_mutex_lock(&disk->mutex);
    if (disk->is_dead) return leave(disk, SQLITE_IOERR_DELETE);
    disk_file *file = find_file(disk, name);
    if (!file) return leave(disk, SQLITE_IOERR_DELETE_NOENT);
    unlink_file(disk, file, 0);
    return leave(disk, SQLITE_OK);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs, (void)flags;
    simulated_disk *disk = disk_of(name);
    *result = 0;
    if (!disk) return SQLITE_OK;
    pthread_mutex_lock(&disk->mutex);
    if (disk->is_dead) return leave(disk, SQLITE_IOERR_ACCESS);
    disk_file *file = find_file(disk, name);
    // SQLite takes an empty write-ahead log or journal for none.
    *result = file && (flags != SQLITE_ACCESS_EXISTS || file->data.size > 0);
    return leave(disk, SQLITE_OK);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int count, char *full) {
    (void)vfs;
    if ((int)strlen(name) >= count) return SQLITE_CANTOPEN;
    strcpy(full, name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *bytes) {
    (void)vfs;
    for (int index = 0; index < count; index++) bytes[index] = (char)(mix((uint64_t)index + 1) & 0xff);
    return count;
}

// Whoever waits for a lock gives way to the others and tries again: simulated time does not pass meanwhile.
static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    sched_yield();
    return microseconds;
}

static int vfs_current_time(sqlite3_vfs *vfs, double *julian_days) {
    (void)vfs;
    *julian_days = 2457950.5;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int count, char *text) {
    (void)vfs;
    if (count > 0) text[0] = 0;
    return 0;
}

static sqlite3_vfs vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(open_file),
    .mxPathname = 128,
    .zName = SIMULATED_DISK_VFS,
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_name,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_current_time,
    .xGetLastError = vfs_last_error,
};

int simulated_disk_register(void) { return sqlite3_vfs_register(&vfs, 0); }

// MARK: Disks

simulated_disk *simulated_disk_create(uint64_t seed) {
    simulated_disk *disk = calloc(1, sizeof(simulated_disk));
    if (!disk) abort();
    disk->random = mix(seed + 1);
    pthread_mutex_init(&disk->mutex, NULL);
    pthread_mutex_lock(&disks_mutex);
    disk->number = ++last_number;
    disk->next = disks;
    disks = disk;
    pthread_mutex_unlock(&disks_mutex);
    return disk;
}

void simulated_disk_destroy(simulated_disk *disk) {
    pthread_mutex_lock(&disks_mutex);
    for (simulated_disk **place = &disks; *place; place = &(*place)->next) {
        if (*place != disk) continue;
        *place = disk->next;
        break;
    }
    pthread_mutex_unlock(&disks_mutex);
    pthread_mutex_lock(&disk->mutex);
    while (disk->files) unlink_file(disk, disk->files, 1);
    disk->is_gone = 1;
    int is_free = disk->handles == 0;
    pthread_mutex_unlock(&disk->mutex);
    if (is_free) free(disk);
}

int32_t simulated_disk_number(const simulated_disk *disk) { return disk->number; }

void simulated_disk_set_faults(simulated_disk *disk, simulated_disk_faults faults) {
    pthread_mutex_lock(&disk->mutex);
    disk->faults = faults;
    pthread_mutex_unlock(&disk->mutex);
}

void simulated_disk_fail_after(simulated_disk *disk, int64_t operations) {
    pthread_mutex_lock(&disk->mutex);
    disk->fail_after = operations;
    pthread_mutex_unlock(&disk->mutex);
}

int simulated_disk_is_dead(simulated_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    return leave(disk, disk->is_dead);
}

// Puts fresh files in the place of those that a process had open.
static void begin_anew(simulated_disk *disk, int loses_power) {
    disk_file *old = disk->files;
    disk->files = NULL;
    while (old) {
        disk_file *next = old->next;
        old->next = NULL;
        if (loses_power) settle_by_chance(old);
        if (!loses_power || old->is_entry_durable || draw(disk, 2)) {
            disk_file *file = make_file(disk, old->name);
            if (!file) abort();
            file->data = loses_power ? old->durable : old->data;
            if (loses_power) {
                old->durable = (image){0};
            } else {
                old->data = (image){0};
                file->durable = old->durable;
                old->durable = (image){0};
                file->pending = old->pending;
                file->pending_count = old->pending_count;
                file->pending_capacity = old->pending_capacity;
                old->pending = NULL;
                old->pending_count = old->pending_capacity = 0;
            }
            file->is_entry_durable = old->is_entry_durable || loses_power;
            if (loses_power && !assign(&file->durable, file)) abort();
        }
        old->is_stale = 1;
        if (old->handles == 0) free_file(old);
        old = next;
    }
    disk->is_dead = 0;
    disk->fail_after = 0;
}

void simulated_disk_kill(simulated_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    begin_anew(disk, 0);
    pthread_mutex_unlock(&disk->mutex);
}

void simulated_disk_cut_power(simulated_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    begin_anew(disk, 1);
    pthread_mutex_unlock(&disk->mutex);
}

void simulated_disk_copy(simulated_disk *to, simulated_disk *from) {
    pthread_mutex_lock(&to->mutex);
    while (to->files) unlink_file(to, to->files, 1);
    pthread_mutex_lock(&from->mutex);
    for (disk_file *file = from->files; file; file = file->next) {
        char name[128];
        const char *rest = strchr(file->name + 1, '/');
        sqlite3_snprintf(sizeof(name), name, "/%d%s", (int)to->number, rest ? rest : "/");
        disk_file *copy = make_file(to, name);
        if (!copy || !assign(&copy->data, file) || !assign(&copy->durable, file)) abort();
        copy->is_entry_durable = 1;
    }
    pthread_mutex_unlock(&from->mutex);
    to->is_dead = 0;
    to->fail_after = 0;
    pthread_mutex_unlock(&to->mutex);
}

simulated_disk_counts simulated_disk_get_counts(simulated_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    simulated_disk_counts counts = disk->counts;
    pthread_mutex_unlock(&disk->mutex);
    return counts;
}
