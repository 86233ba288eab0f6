// The simulated disk. What always holds: `data` of a file is what every process sees; `durable` is what surely survives
// a loss of power; `pending` are the writes and truncations that lead from the one to the other, in order. A sync makes
// both equal. Shared memory and locks belong to the running process and go with it.
//
// All state of a disk is guarded by its mutex; the list of disks by another one. A file that a crash has cut off is
// `stale`: whoever has it open gets errors, and it is freed with the last handle. How SQLite gets at all this stands in
// simulated_vfs.c.

#define _POSIX_C_SOURCE 200809L

#include "simulated_disk_files.h"

#include <stdlib.h>
#include <string.h>

static pthread_mutex_t disks_mutex = PTHREAD_MUTEX_INITIALIZER;
static simulated_disk *disks;
static int32_t last_number;

// MARK: Chance

uint64_t disk_mix(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

uint64_t disk_draw(simulated_disk *disk, uint64_t bound) {
    disk->random += 0x9e3779b97f4a7c15u;
    return disk_mix(disk->random) % bound;
}

int disk_happens(simulated_disk *disk, int32_t rate) {
    return rate > 0 && disk_draw(disk, 10000) < (uint64_t)rate;
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

int disk_set_size(image *image, int64_t size) {
    if (!reserve(image, size)) return 0;
    if (size > image->size) memset(image->bytes + image->size, 0, (size_t)(size - image->size));
    image->size = size;
    return 1;
}

int disk_put(image *image, const uint8_t *bytes, int64_t offset, int64_t count) {
    if (offset + count > image->size && !disk_set_size(image, offset + count)) return 0;
    memcpy(image->bytes + offset, bytes, (size_t)count);
    return 1;
}

static int assign(image *image, const struct disk_file *source) {
    image->size = 0;
    if (!disk_set_size(image, source->data.size)) return 0;
    if (source->data.size) memcpy(image->bytes, source->data.bytes, (size_t)source->data.size);
    return 1;
}

// MARK: Files

void disk_forget_pending(disk_file *file) {
    for (int64_t index = 0; index < file->pending_count; index++) free(file->pending[index].bytes);
    file->pending_count = 0;
}

void disk_free_file(disk_file *file) {
    disk_forget_pending(file);
    for (int region = 0; region < file->region_count; region++) free(file->regions[region]);
    free(file->pending);
    free(file->data.bytes);
    free(file->durable.bytes);
    free(file->name);
    free(file);
}

disk_file *disk_find_file(simulated_disk *disk, const char *name) {
    for (disk_file *file = disk->files; file; file = file->next)
        if (strcmp(file->name, name) == 0) return file;
    return NULL;
}

disk_file *disk_make_file(simulated_disk *disk, const char *name) {
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
void disk_unlink_file(simulated_disk *disk, disk_file *file, int is_stale) {
    for (disk_file **place = &disk->files; *place; place = &(*place)->next) {
        if (*place != file) continue;
        *place = file->next;
        break;
    }
    file->next = NULL;
    file->is_stale |= is_stale;
    if (file->handles == 0) disk_free_file(file);
}

int disk_note(disk_file *file, const void *bytes, int64_t offset, int64_t count) {
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

int disk_settle_write(image *image, const pending_write *write) {
    return write->bytes ? disk_put(image, write->bytes, write->offset, write->count) : disk_set_size(image, write->offset);
}

// What survives of the pending writes: each as a whole, not at all, or some sectors of it.
void disk_settle_by_chance(disk_file *file) {
    simulated_disk *disk = file->disk;
    uint64_t manner = disk_draw(disk, 4);
    for (int64_t index = 0; index < file->pending_count; index++) {
        pending_write *write = &file->pending[index];
        uint64_t fate = manner == 0 ? 0 : manner == 1 ? 1 : disk_draw(disk, manner == 2 ? 2 : 3);
        if (fate == 0) {
            disk->counts.dropped_writes++;
        } else if (fate == 1 || !write->bytes) {
            disk_settle_write(&file->durable, write);
        } else {
            disk->counts.torn_writes++;
            int64_t end = write->offset + write->count;
            for (int64_t start = write->offset; start < end;) {
                int64_t next = (start / sector + 1) * sector;
                if (next > end) next = end;
                if (disk_draw(disk, 2)) disk_put(&file->durable, write->bytes + (start - write->offset), start, next - start);
                start = next;
            }
        }
    }
    disk_forget_pending(file);
}

simulated_disk *disk_of(const char *name) {
    int32_t number = name && name[0] == '/' ? (int32_t)strtol(name + 1, NULL, 10) : 0;
    pthread_mutex_lock(&disks_mutex);
    simulated_disk *disk = disks;
    while (disk && disk->number != number) disk = disk->next;
    pthread_mutex_unlock(&disks_mutex);
    return disk;
}

// MARK: Disks

simulated_disk *simulated_disk_create(uint64_t seed) {
    simulated_disk *disk = calloc(1, sizeof(simulated_disk));
    if (!disk) abort();
    disk->random = disk_mix(seed + 1);
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
    while (disk->files) disk_unlink_file(disk, disk->files, 1);
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
    int is_dead = disk->is_dead;
    pthread_mutex_unlock(&disk->mutex);
    return is_dead;
}

// Puts fresh files in the place of those that a process had open.
static void begin_anew(simulated_disk *disk, int loses_power) {
    disk_file *old = disk->files;
    disk->files = NULL;
    while (old) {
        disk_file *next = old->next;
        old->next = NULL;
        if (loses_power) disk_settle_by_chance(old);
        if (!loses_power || old->is_entry_durable || disk_draw(disk, 2)) {
            disk_file *file = disk_make_file(disk, old->name);
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
        if (old->handles == 0) disk_free_file(old);
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
    while (to->files) disk_unlink_file(to, to->files, 1);
    pthread_mutex_lock(&from->mutex);
    for (disk_file *file = from->files; file; file = file->next) {
        char name[128];
        const char *rest = strchr(file->name + 1, '/');
        sqlite3_snprintf(sizeof(name), name, "/%d%s", (int)to->number, rest ? rest : "/");
        disk_file *copy = disk_make_file(to, name);
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
