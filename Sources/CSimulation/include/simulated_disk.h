// A disk in memory on which SQLite's files lie, for the simulator: an sqlite3_vfs that keeps what was written apart from
// what was synced, and that fails as it is told. See simulated_disk.c.
//
// Names of files have the form /NUMBER/NAME, where NUMBER is that of a disk; they are opened through the URI
// file:/NUMBER/NAME?vfs=concord-simulated. What is drawn by chance follows from the disk's seed and from the order of
// the operations on it.

#ifndef CONCORD_SIMULATED_DISK_H
#define CONCORD_SIMULATED_DISK_H

#include <stdint.h>

#define SIMULATED_DISK_VFS "concord-simulated"

/// A disk with its files.
typedef struct simulated_disk simulated_disk;

/// How a disk fails at present; rates are out of ten thousand operations.
typedef struct simulated_disk_faults {
    int32_t read_errors;
    int32_t write_errors;
    /// What was not synced then is synced the next time.
    int32_t sync_errors;
    /// Locks that are refused as if somebody else held them.
    int32_t busy_locks;
    /// Whether no file may become larger.
    int32_t is_full;
} simulated_disk_faults;

/// What happened on a disk since it was made.
typedef struct simulated_disk_counts {
    int64_t reads;
    int64_t writes;
    int64_t syncs;
    int64_t failed;
    int64_t dropped_writes;
    int64_t torn_writes;
} simulated_disk_counts;

/// Makes the VFS known to SQLite; may be called again. Gives SQLite's result code.
int simulated_disk_register(void);

/// An empty disk.
simulated_disk *simulated_disk_create(uint64_t seed);
/// Frees a disk and its files; those that are open still are cut off.
void simulated_disk_destroy(simulated_disk *disk);
/// The number under which the disk's files are found.
int32_t simulated_disk_number(const simulated_disk *disk);

/// Sets how the disk fails from now on.
void simulated_disk_set_faults(simulated_disk *disk, simulated_disk_faults faults);
/// Has the power fail in the middle of the write, truncation or sync of this number from now, counted from 1: from there
/// on every operation fails until simulated_disk_cut_power. 0 takes that back.
void simulated_disk_fail_after(simulated_disk *disk, int64_t operations);
/// Whether the power has failed so.
int simulated_disk_is_dead(simulated_disk *disk);

/// The process that used the disk is killed: its open files are cut off, and the next process finds all that was written.
void simulated_disk_kill(simulated_disk *disk);
/// The power fails: of what was not synced, the next process finds parts.
void simulated_disk_cut_power(simulated_disk *disk);
/// Replaces all files of a disk by those of another as they are now. The open files of the first are cut off.
void simulated_disk_copy(simulated_disk *to, simulated_disk *from);

/// What happened so far.
simulated_disk_counts simulated_disk_get_counts(simulated_disk *disk);

#endif
