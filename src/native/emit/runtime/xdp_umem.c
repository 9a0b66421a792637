/*
 * ---- AF_XDP umem: another kind of long-term write pin ----
 * A socket per handle, on lo of a network namespace of its own, made before the processes exist, so
 * that each of them can use it. The device writes the pinned frame when a packet of 16 bytes
 * arrives, which the XDP program redirects into the umem; it reads when one of 64 bytes is sent,
 * which the program lets pass on to a packet socket.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define XDP_LO 1               /* index of lo in every network namespace */
#define XDP_ENTRIES 4u         /* of each ring */
#define XDP_WRITE_BYTES 16ul   /* of a packet that is written to memory */
#define XDP_READ_BYTES 64ul    /* of one read from it */
#define XDP_CHUNK 2048u        /* the smallest; in unaligned mode one may start anywhere */
#define XDP_HEADROOM 256ul     /* XDP_PACKET_HEADROOM: received data start there in the chunk */

struct xdp_ring {
    uint32_t *producer, *consumer;
    void *entries;
};
static struct xdp_device {
    int socket, packets, map, program, link;
    struct xdp_ring fill, completion, receive, transmit;
} xdp_devices[HANDLES];

static int xdp_bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

/* Packets shorter than 32 bytes go to the socket in the map, the others on to the stack. */
static int load_xdp_program(int map)
{
    struct bpf_insn code[] = {
        { BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, data), 0 },
        { BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct xdp_md, data_end), 0 },
        { BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, 32 },
        { BPF_JMP | BPF_JGT | BPF_X, 2, 3, 2, 0 },       /* data + 32 > data_end */
        { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS },
        { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
        { BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map },
        { 0, 0, 0, 0, 0 },                               /* its upper half */
        { BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0 },     /* key: queue 0 */
        { BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_ABORTED },
        { BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map },
        { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
    };
    union bpf_attr a = { 0 };
    a.prog_type = BPF_PROG_TYPE_XDP;
    a.insns = (uintptr_t)code;
    a.insn_cnt = sizeof code / sizeof code[0];
    a.license = (uintptr_t)"Dual MIT/GPL";
    return xdp_bpf(BPF_PROG_LOAD, &a);
}

static void map_xdp_ring(int fd, struct xdp_ring *ring, const struct xdp_ring_offset *at,
                         int option, off_t place, size_t entry)
{
    unsigned entries = XDP_ENTRIES;
    if (setsockopt(fd, SOL_XDP, option, &entries, sizeof entries) != 0) {
        give_up(FAILED, "setsockopt for an AF_XDP ring");
    }
    char *p = mmap(NULL, at->desc + entries * entry, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_POPULATE, fd, place);
    if (p == MAP_FAILED) give_up(FAILED, "mmap of an AF_XDP ring");
    ring->producer = (uint32_t *)(void *)(p + at->producer);
    ring->consumer = (uint32_t *)(void *)(p + at->consumer);
    ring->entries = p + at->desc;
}

static void map_xdp_rings(struct xdp_device *d)
{
    struct xdp_mmap_offsets at;
    socklen_t length = sizeof at;
    if (getsockopt(d->socket, SOL_XDP, XDP_MMAP_OFFSETS, &at, &length) != 0) {
        give_up(FAILED, "XDP_MMAP_OFFSETS");
    }
    map_xdp_ring(d->socket, &d->fill, &at.fr, XDP_UMEM_FILL_RING,
                 (off_t)XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t));
    map_xdp_ring(d->socket, &d->completion, &at.cr, XDP_UMEM_COMPLETION_RING,
                 (off_t)XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(uint64_t));
    map_xdp_ring(d->socket, &d->receive, &at.rx, XDP_RX_RING, XDP_PGOFF_RX_RING,
                 sizeof(struct xdp_desc));
    map_xdp_ring(d->socket, &d->transmit, &at.tx, XDP_TX_RING, XDP_PGOFF_TX_RING,
                 sizeof(struct xdp_desc));
}

static void open_packet_socket(struct xdp_device *d)
{
    struct ifreq up = { 0 };
    struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_ifindex = XDP_LO };
    struct timeval patience = { 5, 0 };
    lo.sll_protocol = (uint16_t)__builtin_bswap16(ETH_P_ALL);
    d->packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, lo.sll_protocol);
    if (d->packets < 0) give_up(SKIPPED, "socket(AF_PACKET) (CONFIG_PACKET)");
    strcpy(up.ifr_name, "lo");
    up.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(d->packets, SIOCSIFFLAGS, &up) != 0) give_up(FAILED, "bring up lo");
    setsockopt(d->packets, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (bind(d->packets, (struct sockaddr *)&lo, sizeof lo) != 0) give_up(FAILED, "bind to lo");
}

static void attach_xdp_program(struct xdp_device *d)
{
    union bpf_attr a = { 0 };
    struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
    setrlimit(RLIMIT_MEMLOCK, &all); /* kernels before 5.11 count maps against it */
    a.map_type = BPF_MAP_TYPE_XSKMAP;
    a.key_size = a.value_size = sizeof(uint32_t);
    a.max_entries = 1;
    d->map = xdp_bpf(BPF_MAP_CREATE, &a);
    if (d->map < 0) give_up(SKIPPED, "BPF_MAP_CREATE of an XSKMAP");
    d->program = load_xdp_program(d->map);
    if (d->program < 0) give_up(FAILED, "BPF_PROG_LOAD");
    memset(&a, 0, sizeof a);
    a.link_create.prog_fd = (uint32_t)d->program;
    a.link_create.target_ifindex = XDP_LO;
    a.link_create.attach_type = BPF_XDP;
    a.link_create.flags = XDP_FLAGS_SKB_MODE;
    d->link = xdp_bpf(BPF_LINK_CREATE, &a);
    if (d->link < 0) give_up(SKIPPED, "BPF_LINK_CREATE on lo (Linux 5.9 on)");
}

/* The sockets stay in the namespace they were made in; the test itself does not move there. */
static void prepare_xdp(unsigned handle)
{
    struct xdp_device *d = &xdp_devices[handle];
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0) give_up(SKIPPED, "open /proc/self/ns/net (CONFIG_NET_NS)");
    if (unshare(CLONE_NEWNET) != 0) give_up(SKIPPED, "a network namespace");
    d->socket = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (d->socket < 0) give_up(SKIPPED, "socket(AF_XDP) (CONFIG_XDP_SOCKETS)");
    open_packet_socket(d);
    attach_xdp_program(d);
    map_xdp_rings(d);
    if (setns(home, CLONE_NEWNET) != 0) give_up(FAILED, "setns");
    close(home);
}

/* XDP_UMEM_REG takes the pin. A page other than the first that cannot be had gives ENOMEM there, a
 * short count; said as EFAULT, as the other users of pin_user_pages do. */
static int8_t xdp_umem(unsigned handle)
{
    struct xdp_device *d = &xdp_devices[handle];
    struct xdp_umem_reg memory = { .addr = (uintptr_t)handles[handle].base,
                                   .len = handles[handle].pages * PAGE,
                                   .chunk_size = XDP_CHUNK,
                                   .flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG };
    struct sockaddr_xdp lo = { .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY,
                               .sxdp_ifindex = XDP_LO };
    uint32_t queue = 0, fd = (uint32_t)d->socket;
    union bpf_attr a = { 0 };
    if (setsockopt(d->socket, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory) != 0) {
        return (int8_t)(errno == ENOMEM && handles[handle].pages > 1 ? -EFAULT : -errno);
    }
    if (bind(d->socket, (struct sockaddr *)&lo, sizeof lo) != 0) give_up(FAILED, "bind of AF_XDP");
    a.map_fd = (uint32_t)d->map;
    a.key = (uintptr_t)&queue;
    a.value = (uintptr_t)&fd;
    if (xdp_bpf(BPF_MAP_UPDATE_ELEM, &a) != 0) give_up(FAILED, "BPF_MAP_UPDATE_ELEM");
    note_taken(handle);
    return 0;
}

/* Waits until the kernel has put something into the ring, and takes it out. */
static void xdp_consume(const struct xdp_ring *ring, const char *what)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (__atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) == *ring->consumer) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        errno = 0;
        if (now.tv_sec - start.tv_sec > 5) give_up(FAILED, "AF_XDP: %s", what);
        sched_yield();
    }
    __atomic_store_n(ring->consumer, *ring->consumer + 1, __ATOMIC_RELEASE);
}

static void xdp_receive(struct xdp_device *d, uint64_t place, int8_t value)
{
    char packet[XDP_WRITE_BYTES] = { 0 };
    uint32_t at = *d->fill.producer;
    packet[0] = value;
    packet[12] = (char)0x88; /* ETH_P_802_EX1: for experiments */
    packet[13] = (char)0xb5;
    ((uint64_t *)d->fill.entries)[at % XDP_ENTRIES] = place - XDP_HEADROOM;
    __atomic_store_n(d->fill.producer, at + 1, __ATOMIC_RELEASE);
    if (send(d->packets, packet, sizeof packet, 0) != (ssize_t)sizeof packet) {
        give_up(FAILED, "send of a packet");
    }
    xdp_consume(&d->receive, "the packet did not reach the umem");
}

static int8_t xdp_transmit(struct xdp_device *d, uint64_t place)
{
    char packet[256];
    uint32_t at = *d->transmit.producer;
    struct xdp_desc what = { .addr = place, .len = XDP_READ_BYTES };
    while (recv(d->packets, packet, sizeof packet, MSG_DONTWAIT) >= 0) continue;
    ((struct xdp_desc *)d->transmit.entries)[at % XDP_ENTRIES] = what;
    __atomic_store_n(d->transmit.producer, at + 1, __ATOMIC_RELEASE);
    if (sendto(d->socket, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0) give_up(FAILED, "send of the umem");
    for (ssize_t n = 0; n != (ssize_t)XDP_READ_BYTES;) {
        n = recv(d->packets, packet, sizeof packet, 0);
        if (n < 0) give_up(FAILED, "the packet from the umem did not arrive");
    }
    xdp_consume(&d->completion, "the umem's packet was not completed");
    return (int8_t)packet[0];
}

/* One byte at `offset` of a page: written by the device if `write`, else read. Any process may. */
static int8_t xdp_access(unsigned handle, unsigned page, unsigned long offset, bool write,
                         int8_t value)
{
    struct xdp_device *d = &xdp_devices[handle];
    uint64_t place = page * PAGE + offset;
    int8_t result = 0;
    while (atomic_exchange(&shared->handle_lock[handle], 1) != 0) sched_yield();
    if (write) xdp_receive(d, place, value);
    else result = xdp_transmit(d, place);
    shared->handle_lock[handle] = 0;
    return result;
}

static UNUSED void xdp_write(unsigned handle, unsigned page, unsigned word, int8_t value)
{
    if (!shared->slot[handles[handle].first_slot + page].taken) return;
    xdp_access(handle, page, WORD_AT(word), true, value);
}

static UNUSED int8_t xdp_read(unsigned handle, unsigned page, unsigned word)
{
    if (!shared->slot[handles[handle].first_slot + page].taken) return 0;
    return xdp_access(handle, page, WORD_AT(word), false, 0);
}

/* All is over: leave a mark that shows which process maps the very frame the handle refers to. */
static void mark_xdp(unsigned handle)
{
    for (unsigned i = 0; i < handles[handle].pages; i++) {
        unsigned slot = handles[handle].first_slot + i;
        if (!shared->slot[slot].taken) continue;
        xdp_access(handle, i, MARK_AT(slot), true, 'm');
        shared->slot[slot].marked = true;
    }
}
