/* SPDX-License-Identifier: MIT */
/* Opening files below a folder and never above it, without being root. */
#ifndef SERVICES_TFTP_TFTP_CONFINE_H
#define SERVICES_TFTP_TFTP_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Open path below the folder that is open as root. Symlinks are followed as long as they stay
 * below; where the kernel has no openat2() none is followed.
 *
 * path	   relative, "/" between the parts; "." is the folder itself
 * flags   as for open(); O_CLOEXEC is added
 * cached  do not wait for a disk: EAGAIN where that would be needed. Without openat2(), or on
 *	   kernels before 5.12, everything gives EAGAIN then
 * returns a descriptor, or -1 with errno: EXDEV where the path leads out, else as open()
 */
int tftp_confine_open(int root, const char *path, int flags, bool cached);

/* The same without openat2(): part by part, no symlinks. Public for its test. */
int tftp_confine_walk(int root, const char *path, int flags);

#endif
