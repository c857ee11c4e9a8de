/* The machine under a real server, moved by a test: put before the C library with LD_PRELOAD. The file
   FLOWMEND_TEST_MACHINE holds two numbers of eight bytes, which the test writes while the server runs:
   - seconds that the wall clock is ahead of the machine's. Clocks that only count on are left alone, as they are when
     somebody sets a machine's clock;
   - what the disk does to files of a data folder: 0 works, 1 syncs fail (EIO), 2 it is full (ENOSPC). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct machine {
  int64_t ahead;
  int64_t disk;
};
static const volatile struct machine* machine;

__attribute__((constructor)) static void map_machine(void) {
  const char* path = getenv("FLOWMEND_TEST_MACHINE");
  const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* mapped = mmap(NULL, sizeof *machine, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) machine = mapped;
  close(file);
}

/* No function of the C library: this one is called from its allocator too. */
int clock_gettime(clockid_t which, struct timespec* now) {
  const long result = syscall(SYS_clock_gettime, which, now);
  if (result == 0 && which == CLOCK_REALTIME && machine != NULL) now->tv_sec += machine->ahead;
  return (int)result;
}

time_t time(time_t* into) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_REALTIME, &now);
  if (into != NULL) *into = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  (void)zone;
  struct timespec exact = {0, 0};
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

/* The store's database and its log. */
static int is_stored(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strstr(path, "/flowmend.db") != NULL;
}

int fdatasync(int file) {
  if (machine != NULL && machine->disk == 1 && is_stored(file)) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(SYS_fdatasync, file);
}

int fsync(int file) {
  if (machine != NULL && machine->disk == 1 && is_stored(file)) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(SYS_fsync, file);
}

/* A full disk takes what fits into blocks that the file has already. */
static int is_full(int file, size_t size, off_t offset) {
  struct stat about;
  return machine != NULL && machine->disk == 2 && is_stored(file) && fstat(file, &about) == 0 &&
         offset + (off_t)size > about.st_size;
}

ssize_t pwrite(int file, const void* from, size_t size, off_t offset) {
  if (is_full(file, size, offset)) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_pwrite64, file, from, size, offset);
}

ssize_t pwrite64(int file, const void* from, size_t size, off64_t offset) { return pwrite(file, from, size, offset); }

int fallocate(int file, int mode, off_t offset, off_t size) {
  if (is_full(file, (size_t)size, offset)) {
    errno = ENOSPC;
    return -1;
  }
  return (int)syscall(SYS_fallocate, file, mode, offset, size);
}

int fallocate64(int file, int mode, off64_t offset, off64_t size) { return fallocate(file, mode, offset, size); }

int posix_fallocate(int file, off_t offset, off_t size) {
  if (is_full(file, (size_t)size, offset)) return ENOSPC;
  return syscall(SYS_fallocate, file, 0, offset, size) == 0 ? 0 : errno;
}

int posix_fallocate64(int file, off64_t offset, off64_t size) { return posix_fallocate(file, offset, size); }
