// The simulated disk as SQLite sees it: an sqlite3_vfs with shared memory, for several connections of one process.

#include "simulated_disk_files.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

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
    if (file->name && disk_happens(disk, disk->faults.read_errors)) {
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
            if (!disk_put(&file->data, bytes, offset, count) || !disk_note(file, bytes, offset, count))
                return leave(disk, SQLITE_IOERR_NOMEM);
            return leave(disk, SQLITE_IOERR_WRITE);
        }
        if (disk->faults.is_full && offset + count > file->data.size) {
            disk->counts.failed++;
            return leave(disk, SQLITE_FULL);
        }
        if (disk_happens(disk, disk->faults.write_errors)) {
            disk->counts.failed++;
            return leave(disk, SQLITE_IOERR_WRITE);
        }
    }
    if (!disk_put(&file->data, bytes, offset, count) || !disk_note(file, bytes, offset, count))
        return leave(disk, SQLITE_IOERR_NOMEM);
    return leave(disk, SQLITE_OK);
}

static int file_truncate(sqlite3_file *handle, sqlite3_int64 size) {
    open_file *open = (open_file *)handle;
    simulated_disk *disk = enter(open);
    disk_file *file = open->file;
    if (is_cut_off(disk, file) || (file->name && fails_now(disk))) return leave(disk, SQLITE_IOERR_TRUNCATE);
    if (!disk_set_size(&file->data, size) || !disk_note(file, NULL, size, 0)) return leave(disk, SQLITE_IOERR_NOMEM);
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
    if (disk_happens(disk, disk->faults.sync_errors)) {
        // What was not synced is tried again the next time. A kernel that forgets it instead can make SQLite lose what it
        // committed before; nothing above SQLite could prevent that.
        disk->counts.failed++;
        return leave(disk, SQLITE_IOERR_FSYNC);
    }
    for (int64_t index = 0; index < file->pending_count; index++)
        if (!disk_settle_write(&file->durable, &file->pending[index])) return leave(disk, SQLITE_IOERR_NOMEM);
    disk_forget_pending(file);
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
    if (disk_happens(disk, disk->faults.busy_locks)) return leave(disk, SQLITE_BUSY);
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
    if (disk_happens(disk, disk->faults.busy_locks)) return leave(disk, SQLITE_BUSY);
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
    int is_on_disk = file->name && disk_find_file(disk, file->name) == file;
    if (--file->handles == 0 && !is_on_disk) disk_free_file(file);
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
    disk_file *file = name ? disk_find_file(disk, name) : NULL;
    if (!file) {
        if (!(flags & SQLITE_OPEN_CREATE)) return leave(disk, SQLITE_CANTOPEN);
        if (name && disk->faults.is_full) return leave(disk, SQLITE_FULL);
        file = disk_make_file(disk, name);
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
    disk_file *file = disk_find_file(disk, name);
    if (!file) return leave(disk, SQLITE_IOERR_DELETE_NOENT);
    disk_unlink_file(disk, file, 0);
    return leave(disk, SQLITE_OK);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs, (void)flags;
    simulated_disk *disk = disk_of(name);
    *result = 0;
    if (!disk) return SQLITE_OK;
    pthread_mutex_lock(&disk->mutex);
    if (disk->is_dead) return leave(disk, SQLITE_IOERR_ACCESS);
    disk_file *file = disk_find_file(disk, name);
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
    for (int index = 0; index < count; index++) bytes[index] = (char)(disk_mix((uint64_t)index + 1) & 0xff);
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
