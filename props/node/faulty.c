/*
 * Loaded before the C library: lets one write, flush or truncation of an image fail.
 *
 * FAULT_AT is the number of the call, from 0; FAULT_KIND is EIO, ENOSPC (from that call on no image grows), SHORT (half of
 * the sectors are written, and the next call fails with EIO) or KILL (the process ends by SIGKILL). The number of calls is
 * written to the file FAULT_COUNT when the process ends.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls;
static int fails_next, is_full;

__attribute__((destructor)) static void report(void) {
  const char *name = getenv("FAULT_COUNT");
  FILE *file = name ? fopen(name, "w") : NULL;
  if (file) {
    fprintf(file, "%ld", calls);
    fclose(file);
  }
}

static int is_image(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return n > 6 && strcmp(path + n - 6, ".qcow2") == 0;
}

/* Returns how many bytes are written, or -1 where the call fails. Flushes and truncations write no bytes at place -1. */
static ssize_t before(int fd, size_t length, off_t at) {
  if (!is_image(fd)) return length;
  const char *kind = getenv("FAULT_KIND"), *number = getenv("FAULT_AT");
  int is_it = kind && number && calls == atol(number);
  calls++;
  errno = EIO;
  if (fails_next) {
    fails_next = 0;
    return -1;
  }
  if (is_it && strcmp(kind, "EIO") == 0) return -1;
  if (is_it && strcmp(kind, "KILL") == 0) raise(SIGKILL);
  if (is_it && strcmp(kind, "ENOSPC") == 0) is_full = 1;
  if (at < 0) return length;
  if (is_it && strcmp(kind, "SHORT") == 0) {
    off_t half = (at + (off_t)length / 2) / 512 * 512 - at;
    if (half <= 0) return -1;
    fails_next = 1;
    return half;
  }
  struct stat file;
  if (is_full && fstat(fd, &file) == 0 && at + (off_t)length > file.st_size) {
    errno = ENOSPC;
    return at < file.st_size ? file.st_size - at : -1;
  }
  return length;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  ssize_t n = before(fd, length, at);
  return n < 0 ? -1 : NEXT(pwrite64)(fd, bytes, n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return pwrite64(fd, bytes, length, at);
}

int ftruncate64(int fd, off64_t length) {
  return before(fd, 0, -1) < 0 ? -1 : NEXT(ftruncate64)(fd, length);
}

int ftruncate(int fd, off_t length) {
  return ftruncate64(fd, length);
}

int fdatasync(int fd) {
  return before(fd, 0, -1) < 0 ? -1 : NEXT(fdatasync)(fd);
}
