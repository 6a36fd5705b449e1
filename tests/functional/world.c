/* A world for one process, preloaded into it: its clock may be wrong and its network cut.
 *
 * The file named by FLOCK_WORLD is mapped; whoever writes it changes the world at once:
 * int64 milliseconds by which the clock is off, int64 that is not zero while the network is cut.
 * FLOCK_PORTS lists, with commas, the ports that a cut concerns, on either side of a connection.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX 64

static volatile int64_t *world;
static int ports[PORTS_MAX], port_count;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_connect)(int, const struct sockaddr *, socklen_t);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_recv)(int, void *, size_t, int);

__attribute__((constructor)) static void begin(void) {
  real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  real_connect = dlsym(RTLD_NEXT, "connect");
  real_send = dlsym(RTLD_NEXT, "send");
  real_recv = dlsym(RTLD_NEXT, "recv");
  const char *path = getenv("FLOCK_WORLD"), *list = getenv("FLOCK_PORTS");
  int file = path == NULL ? -1 : open(path, O_RDONLY);
  if (file < 0) abort();
  void *mapped = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  close(file);
  while (list != NULL && *list != 0 && port_count < PORTS_MAX) {
    char *end;
    ports[port_count++] = (int)strtol(list, &end, 10);
    list = *end == ',' ? end + 1 : NULL;
  }
  world = mapped;
}

static int is_listed(const struct sockaddr *address) {
  int port = 0;
  if (address->sa_family == AF_INET) port = ntohs(((const struct sockaddr_in *)address)->sin_port);
  for (int place = 0; place < port_count; place++)
    if (port != 0 && ports[place] == port) return 1;
  return 0;
}

static int is_cut(int socket) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  if (world == NULL || world[1] == 0) return 0;
  if (getsockname(socket, (struct sockaddr *)&address, &size) == 0 &&
      is_listed((struct sockaddr *)&address))
    return 1;
  size = sizeof address;
  return getpeername(socket, (struct sockaddr *)&address, &size) == 0 &&
         is_listed((struct sockaddr *)&address);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (real_clock_gettime == NULL) real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  int status = real_clock_gettime(clock, now);
  if (status == 0 && clock == CLOCK_REALTIME && world != NULL) {
    int64_t nanoseconds = now->tv_nsec + (world[0] % 1000) * 1000000;
    now->tv_sec += world[0] / 1000;
    if (nanoseconds < 0) { nanoseconds += 1000000000; now->tv_sec -= 1; }
    if (nanoseconds >= 1000000000) { nanoseconds -= 1000000000; now->tv_sec += 1; }
    now->tv_nsec = nanoseconds;
  }
  return status;
}

int connect(int socket, const struct sockaddr *address, socklen_t size) {
  if (world != NULL && world[1] != 0 && is_listed(address)) {
    errno = ENETUNREACH;
    return -1;
  }
  return real_connect(socket, address, size);
}

ssize_t send(int socket, const void *data, size_t size, int flags) {
  if (is_cut(socket)) {
    errno = ECONNRESET;
    return -1;
  }
  return real_send(socket, data, size, flags);
}

ssize_t recv(int socket, void *data, size_t size, int flags) {
  if (is_cut(socket)) {
    errno = ECONNRESET;
    return -1;
  }
  return real_recv(socket, data, size, flags);
}
