/*
 * Stands between a program and the C library (LD_PRELOAD): while the file that FAILING_SYNC names
 * exists, a disk that can no longer be written answers every sync.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*sync_fn)(int);

static int sync_by(const char *name, int fd) {
  const char *file = getenv("FAILING_SYNC");
  if (file && access(file, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  return ((sync_fn)dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return sync_by("fsync", fd); }
int fdatasync(int fd) { return sync_by("fdatasync", fd); }
