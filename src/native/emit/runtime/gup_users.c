/*
 * ---- Long-term write pins: io_uring registered buffers ----
 * One ring per handle, made before the processes exist, so that each of them can use it. The device
 * writes the pinned frame by READ_FIXED from a memfd and reads it by WRITE_FIXED to one.
 */
#include <linux/io_uring.h>

struct ring {
    int fd, file;
    unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *completions;
};
static struct ring rings[HANDLES];

static char *map_ring(int fd, size_t bytes, off_t what)
{
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
    if (p == MAP_FAILED) give_up(FAILED, "mmap of an io_uring ring");
    return p;
}

static void prepare_ring(unsigned handle)
{
    struct ring *r = &rings[handle];
    struct io_uring_params p = { 0 };
    r->fd = (int)syscall(SYS_io_uring_setup, 2, &p);
    if (r->fd < 0) give_up(SKIPPED, "io_uring_setup");
    char *sq = map_ring(r->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned),
                        (off_t)IORING_OFF_SQ_RING);
    char *cq = map_ring(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
                        (off_t)IORING_OFF_CQ_RING);
    r->entries = (struct io_uring_sqe *)(void *)map_ring(
        r->fd, p.sq_entries * sizeof(struct io_uring_sqe), (off_t)IORING_OFF_SQES);
    r->sq_tail = (unsigned *)(void *)(sq + p.sq_off.tail);
    r->sq_mask = (unsigned *)(void *)(sq + p.sq_off.ring_mask);
    r->sq_array = (unsigned *)(void *)(sq + p.sq_off.array);
    r->cq_head = (unsigned *)(void *)(cq + p.cq_off.head);
    r->cq_tail = (unsigned *)(void *)(cq + p.cq_off.tail);
    r->cq_mask = (unsigned *)(void *)(cq + p.cq_off.ring_mask);
    r->completions = (struct io_uring_cqe *)(void *)(cq + p.cq_off.cqes);
    r->file = memfd_create("device", MFD_CLOEXEC);
    if (r->file < 0 || ftruncate(r->file, (off_t)PAGE) != 0) give_up(FAILED, "memfd_create");
}

static int8_t register_buffer(unsigned handle)
{
    struct iovec v = { handles[handle].base, handles[handle].pages * PAGE };
    if (syscall(SYS_io_uring_register, rings[handle].fd, IORING_REGISTER_BUFFERS, &v, 1) < 0) {
        return (int8_t)-errno;
    }
    note_taken(handle);
    return 0;
}

static UNUSED void unregister_buffer(unsigned handle)
{
    if (!note_released(handle)) return;
    if (syscall(SYS_io_uring_register, rings[handle].fd, IORING_UNREGISTER_BUFFERS, NULL, 0) < 0) {
        give_up(FAILED, "IORING_UNREGISTER_BUFFERS");
    }
}

/* Submits one request of one byte and waits for its end. Any process may do this. */
static void ring_transfer(struct ring *r, int opcode, char *address, unsigned offset)
{
    unsigned tail = *r->sq_tail, index = tail & *r->sq_mask;
    struct io_uring_sqe *e = &r->entries[index];
    memset(e, 0, sizeof *e);
    e->opcode = (uint8_t)opcode;
    e->fd = r->file;
    e->addr = (uintptr_t)address;
    e->len = 1;
    e->off = offset;
    r->sq_array[index] = index;
    __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, r->fd, 1, 0, 0, NULL, 0) != 1) {
        give_up(FAILED, "io_uring_enter");
    }
    unsigned head = *r->cq_head;
    while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == head) {
        syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
    }
    int result = r->completions[head & *r->cq_mask].res;
    __atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
    errno = result < 0 ? -result : 0;
    if (result != 1) give_up(FAILED, "the transfer through the registered buffer gave %d", result);
}

/* One byte at `offset` of a slot's page: read by the device, or written if `write`. */
static int8_t access_slot(unsigned slot, unsigned long offset, bool write, int8_t value)
{
    unsigned handle = 0;
    while (slot >= handles[handle].first_slot + handles[handle].pages) handle++;
    struct ring *r = &rings[handle];
    char *address = handles[handle].base + (slot - handles[handle].first_slot) * PAGE + offset;
    int8_t result = 0;
    while (atomic_exchange(&shared->handle_lock[handle], 1) != 0) sched_yield();
    if (write) {
        if (pwrite(r->file, &value, 1, 0) != 1) give_up(FAILED, "pwrite to the memfd");
        ring_transfer(r, IORING_OP_READ_FIXED, address, 0);
    } else {
        ring_transfer(r, IORING_OP_WRITE_FIXED, address, 1);
        if (pread(r->file, &result, 1, 1) != 1) give_up(FAILED, "pread from the memfd");
    }
    shared->handle_lock[handle] = 0;
    return result;
}

static UNUSED void dma_write(unsigned slot, unsigned word, int8_t value)
{
    if (shared->slot[slot].taken) access_slot(slot, WORD_AT(word), true, value);
}

static UNUSED int8_t dma_read(unsigned slot, unsigned word)
{
    return shared->slot[slot].taken ? access_slot(slot, WORD_AT(word), false, 0) : 0;
}

/* All is over: leave a mark that shows which process maps the very frame the handle refers to. */
static void mark_frames(unsigned handle)
{
    for (unsigned i = 0; i < handles[handle].pages; i++) {
        unsigned slot = handles[handle].first_slot + i;
        if (!shared->slot[slot].taken) continue;
        access_slot(slot, MARK_AT(slot), true, 'm');
        shared->slot[slot].marked = true;
    }
}
