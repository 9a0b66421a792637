/*
 * ---- MSG_ZEROCOPY over loopback TCP ----
 * A connection per handle, made before the processes exist. The peer's window is full otherwise,
 * so what is sent waits in the sender's queue and refers to the pages until somebody receives.
 */
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SIOCOUTQNSD
#define SIOCOUTQNSD 0x894B
#endif
static int senders[HANDLES], receivers[HANDLES];
static size_t filler[HANDLES]; /* bytes queued before the pages */

/* An own network namespace where permitted; its lo is down at first. */
static void prepare_network(void)
{
    static bool done;
    if (done) return;
    done = true;
    if (unshare(CLONE_NEWNET) != 0) return;
    struct ifreq request = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0) give_up(SKIPPED, "bring up lo");
    close(fd);
}

static void set_option(int fd, int level, int name, int value, const char *what)
{
    if (setsockopt(fd, level, name, &value, sizeof value) != 0) give_up(SKIPPED, "%s", what);
}

static void fill_window(unsigned handle)
{
    static char bytes[16384];
    for (int unsent = 0; unsent == 0;) {
        ssize_t n = send(senders[handle], bytes, sizeof bytes, MSG_DONTWAIT);
        if (n < 0) give_up(FAILED, "the send buffer is full before the peer's window");
        filler[handle] += (size_t)n;
        usleep(1000);
        if (ioctl(senders[handle], SIOCOUTQNSD, &unsent) != 0) give_up(FAILED, "SIOCOUTQNSD");
    }
}

static void prepare_socket(unsigned handle)
{
    prepare_network();
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    senders[handle] = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || senders[handle] < 0) give_up(SKIPPED, "socket");
    set_option(listener, SOL_SOCKET, SO_RCVBUF, 4096, "SO_RCVBUF");
    set_option(senders[handle], SOL_SOCKET, SO_SNDBUF, 1 << 20, "SO_SNDBUF");
    set_option(senders[handle], SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY");
    if (bind(listener, (struct sockaddr *)&a, length) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &length) != 0 ||
        connect(senders[handle], (struct sockaddr *)&a, length) != 0 ||
        (receivers[handle] = accept(listener, NULL, NULL)) < 0) {
        give_up(SKIPPED, "a TCP connection over lo");
    }
    close(listener);
    struct timeval limit = { 5, 0 };
    setsockopt(receivers[handle], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    filler[handle] = 0;
    fill_window(handle);
}

static int8_t send_zerocopy(unsigned handle)
{
    size_t bytes = handles[handle].pages * PAGE;
    ssize_t n = send(senders[handle], handles[handle].base, bytes, MSG_ZEROCOPY | MSG_DONTWAIT);
    if (n < 0) return (int8_t)-errno;
    if ((size_t)n < bytes) {
        errno = 0;
        give_up(FAILED, "MSG_ZEROCOPY took %zd of %zu bytes", n, bytes);
    }
    int unsent = 0;
    if (ioctl(senders[handle], SIOCOUTQNSD, &unsent) != 0 || (size_t)unsent < bytes) {
        give_up(FAILED, "the pages did not stay in the send queue");
    }
    note_taken(handle);
    return 0;
}

static UNUSED int8_t receive_word(unsigned handle, unsigned page, unsigned word)
{
    if (!shared->slot[handles[handle].first_slot].taken) return 0;
    size_t position = filler[handle] + page * PAGE + WORD_AT(word);
    char bytes[PAGE];
    for (size_t at = 0;;) {
        ssize_t n = recv(receivers[handle], bytes, sizeof bytes, 0);
        if (n <= 0) give_up(FAILED, "recv");
        if (position < at + (size_t)n) return (int8_t)bytes[position - at];
        at += (size_t)n;
    }
}

/* Disconnecting empties the send queue, whoever else has the socket open. */
static UNUSED void close_socket(unsigned handle)
{
    struct sockaddr none = { .sa_family = AF_UNSPEC };
    if (note_released(handle)) connect(senders[handle], &none, sizeof none);
}
