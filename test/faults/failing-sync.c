/*
 * Stands before the system's fsync and fdatasync in a process that is started with it: while the file named by
 * FAILING_WHILE exists, a sync of a file whose path begins with FAILING_PATH fails as that of a dying disk does, with EIO. If
 * there is something in that file, it is removed by the first sync that fails.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fails(int file) {
  const char *condition = getenv("FAILING_WHILE"), *path = getenv("FAILING_PATH");
  char link[64], real[4096];
  if (!condition || !path || access(condition, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, real, sizeof real - 1);
  if (length < 0) return 0;
  real[length] = 0;
  return strncmp(real, path, strlen(path)) == 0;
}

static int sync_with(const char *name, int file) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  if (!fails(file)) return next(file);
  struct stat condition;
  if (stat(getenv("FAILING_WHILE"), &condition) == 0 && condition.st_size > 0) unlink(getenv("FAILING_WHILE"));
  errno = EIO;
  return -1;
}

int fsync(int file) { return sync_with("fsync", file); }
int fdatasync(int file) { return sync_with("fdatasync", file); }
