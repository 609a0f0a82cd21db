/*
 * Stands between a program and the C library (LD_PRELOAD) and, for the files of one directory,
 * records every change and every sync in order, and fails the one it is told to.
 *
 *   DISK_TRACE_DIR      the directory whose files are watched
 *   DISK_TRACE_FILE     where the records go
 *   DISK_TRACE_CONTROL  four 32-bit numbers, shared: kind, countdown, errno, hits
 *
 * A record: kind (1 byte), length of the name (1), offset (8), length of the data (4), name, data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE = 2, SYNC = 3, TRUNCATE = 4, UNLINK = 5, RENAME = 6 };
/* Faults besides the kinds above: half of a write succeeds, the rest fails; no file opens to write. */
enum { SHORT_WRITE = 16, OPEN = 17 };

#define FILES 65536
static char *names[FILES];
static const char *directory;
static size_t directory_length;
static int trace = -1;
static volatile int32_t *control;
static int cut; /* the write after a short one fails */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
  directory = getenv("DISK_TRACE_DIR");
  const char *file = getenv("DISK_TRACE_FILE"), *shared = getenv("DISK_TRACE_CONTROL");
  directory_length = directory ? strlen(directory) : 0;
  if (file) trace = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (!shared) return;
  int fd = syscall(SYS_openat, AT_FDCWD, shared, O_RDWR, 0);
  void *map = mmap(0, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) control = map;
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* The name within the directory, or none for files that are not watched or hold nothing lasting. */
static const char *watched(const char *path) {
  if (!directory || !path || strncmp(path, directory, directory_length)) return 0;
  const char *rest = path + directory_length;
  if (*rest == 0) return rest;
  if (*rest != '/') return 0;
  rest++;
  static const char *const without[] = {"-shm", "writer.lock", "space.reserve"};
  for (size_t i = 0; i < sizeof without / sizeof *without; i++)
    if (strstr(rest, without[i])) return 0;
  if (strlen(rest) > 255) return 0;
  return rest;
}

static const char *named(int fd) { return fd >= 0 && fd < FILES ? names[fd] : 0; }

static void put(const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t done = syscall(SYS_write, trace, at, length);
    if (done <= 0) abort();
    at += done;
    length -= done;
  }
}

static void record(int kind, const char *name, uint64_t offset, const void *data, uint32_t length) {
  if (trace < 0) return;
  unsigned char head[14] = {kind, strlen(name)};
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &length, 4);
  put(head, sizeof head);
  put(name, head[1]);
  if (length) put(data, length);
}

/* Whether the operation that is about to happen is the one to fail. */
static int fails(int kind) {
  if (!control || control[0] != kind || control[1] <= 0 || --control[1] > 0) return 0;
  control[3]++;
  errno = control[2];
  return 1;
}

static int opened(int fd, const char *path, int flags, int existed) {
  int kept = errno;
  const char *name = watched(path);
  if (fd >= 0 && fd < FILES) {
    free(names[fd]);
    names[fd] = name ? strdup(name) : 0;
  }
  if (fd >= 0 && name && *name) {
    if (!existed) record(CREATE, name, 0, 0, 0);
    else if (flags & O_TRUNC) record(TRUNCATE, name, 0, 0, 0);
  }
  errno = kept;
  return fd;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
  pthread_mutex_lock(&lock);
  int fd = -1, writes = (flags & O_ACCMODE) != O_RDONLY;
  if (!(watched(path) && writes && fails(OPEN))) {
    int existed = faccessat(AT_FDCWD, path, F_OK, 0) == 0;
    fd = opened(syscall(SYS_openat, at, path, flags, mode), path, flags, existed);
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

#define OPEN_MODE                                        \
  mode_t mode = 0;                                       \
  if (flags & (O_CREAT | O_TMPFILE)) {                   \
    va_list rest;                                        \
    va_start(rest, flags);                               \
    mode = va_arg(rest, mode_t);                         \
    va_end(rest);                                        \
  }
int open(const char *path, int flags, ...) { OPEN_MODE return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { OPEN_MODE return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { OPEN_MODE return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { OPEN_MODE return open_at(at, path, flags, mode); }

int close(int fd) {
  pthread_mutex_lock(&lock);
  if (named(fd)) {
    free(names[fd]);
    names[fd] = 0;
  }
  pthread_mutex_unlock(&lock);
  return syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *data, size_t length, off_t offset) {
  return syscall(SYS_pwrite64, fd, data, length, offset);
}

static ssize_t traced_write(int fd, const void *data, size_t length, off_t offset) {
  const char *name = named(fd);
  if (!name) return write_at(fd, data, length, offset);
  pthread_mutex_lock(&lock);
  ssize_t done = -1;
  if (cut) {
    cut = 0;
    errno = control[2];
  } else if (!fails(WRITE)) {
    size_t part = length;
    if (fails(SHORT_WRITE)) {
      cut = 1;
      part = length / 2;
    }
    done = part ? write_at(fd, data, part, offset) : 0;
    if (done > 0) record(WRITE, name, offset, data, done);
  }
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  return traced_write(fd, data, length, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
  return traced_write(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
  if (!named(fd)) return syscall(SYS_write, fd, data, length);
  off_t offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
  ssize_t done = traced_write(fd, data, length, offset);
  if (done > 0) syscall(SYS_lseek, fd, offset + done, SEEK_SET);
  return done;
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset) {
  ssize_t all = 0;
  for (int i = 0; i < count; i++) {
    ssize_t done = traced_write(fd, parts[i].iov_base, parts[i].iov_len, offset + all);
    if (done < 0) return all > 0 ? all : -1;
    all += done;
    if ((size_t)done < parts[i].iov_len) break;
  }
  return all;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  if (named(fd)) return write_parts(fd, parts, count, offset);
  return ((ssize_t(*)(int, const struct iovec *, int, off_t))real("pwritev"))(fd, parts, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  return pwritev(fd, parts, count, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (!named(fd)) return syscall(SYS_writev, fd, parts, count);
  off_t offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
  ssize_t done = write_parts(fd, parts, count, offset);
  if (done > 0) syscall(SYS_lseek, fd, offset + done, SEEK_SET);
  return done;
}

static int traced_sync(int fd, int call) {
  const char *name = named(fd);
  if (!name) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  int done = fails(SYNC) ? -1 : syscall(call, fd);
  if (done == 0) record(SYNC, name, 0, 0, 0);
  pthread_mutex_unlock(&lock);
  return done;
}
int fsync(int fd) { return traced_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return traced_sync(fd, SYS_fdatasync); }

static int traced_truncate(int fd, off_t size) {
  const char *name = named(fd);
  if (!name) return syscall(SYS_ftruncate, fd, size);
  pthread_mutex_lock(&lock);
  int done = fails(TRUNCATE) ? -1 : syscall(SYS_ftruncate, fd, size);
  if (done == 0) record(TRUNCATE, name, size, 0, 0);
  pthread_mutex_unlock(&lock);
  return done;
}
int ftruncate(int fd, off_t size) { return traced_truncate(fd, size); }
int ftruncate64(int fd, off64_t size) { return traced_truncate(fd, size); }

int unlink(const char *path) {
  const char *name = watched(path);
  if (!name) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&lock);
  int done = fails(UNLINK) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (done == 0) record(UNLINK, name, 0, 0, 0);
  pthread_mutex_unlock(&lock);
  return done;
}

int rename(const char *from, const char *to) {
  const char *old = watched(from), *new = watched(to);
  if (!old || !new) return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  pthread_mutex_lock(&lock);
  int done = fails(RENAME) ? -1 : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (done == 0) record(RENAME, old, 0, new, strlen(new));
  pthread_mutex_unlock(&lock);
  return done;
}
