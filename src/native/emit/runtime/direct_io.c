/*
 * ---- O_DIRECT, held in flight for exactly as long as the test says ----
 * Per handle: a FUSE file, served by a process of this program, below a loop device in direct-io
 * mode. A read is held by keeping the reply of FUSE_READ back, a write by not fetching the
 * FUSE_WRITE request, so that its data is taken from the pages at `complete`.
 */
#include <linux/aio_abi.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define DISK_BYTES (1ul << 20)
#define SECTOR 512u
#define DISK_OFFSET (512ul << 10) /* where the test transfers; what udev reads is elsewhere */

enum { PASS, ARMED, HELD, RELEASED }; /* disk->state */
struct disk {
    atomic_int state;
    int8_t value;  /* what the device delivers, or what it received */
    bool write;    /* direct_write: the device reads memory */
    int fuse, device, done;
    pid_t server;
    char folder[32], file[48];
};
static struct disk *disks; /* shared with the servers; index: handle */
static aio_context_t aio[HANDLES];

static void answer(int fuse, uint64_t unique, int error, const void *data, size_t bytes)
{
    struct fuse_out_header h = { (uint32_t)(sizeof h + bytes), error, unique };
    struct iovec v[2] = { { &h, sizeof h }, { (void *)(uintptr_t)data, bytes } };
    if (writev(fuse, v, bytes > 0 ? 2 : 1) < 0 && errno != ENOENT) _exit(1);
}

static void answer_attributes(int fuse, uint64_t unique)
{
    struct fuse_attr_out a = { .attr_valid = 1u << 30 };
    a.attr.ino = 1;
    a.attr.mode = S_IFREG | 0600;
    a.attr.nlink = 1;
    a.attr.size = DISK_BYTES;
    a.attr.blocks = DISK_BYTES / 512;
    a.attr.blksize = PAGE;
    answer(fuse, unique, 0, &a, sizeof a);
}

static void answer_read(struct disk *d, uint64_t unique, const struct fuse_read_in *in)
{
    static char zeros[256 * 1024], sector[SECTOR];
    if (in->offset == DISK_OFFSET && in->size == SECTOR && d->state == ARMED) {
        publish(&d->state, HELD);
        while (d->state == HELD) futex_wait(&d->state, HELD, 1000);
        sector[0] = (char)d->value;
        answer(d->fuse, unique, 0, sector, SECTOR);
        d->state = PASS;
    } else {
        answer(d->fuse, unique, 0, zeros, in->size < sizeof zeros ? in->size : sizeof zeros);
    }
}

static void answer_write(struct disk *d, uint64_t unique, const struct fuse_write_in *in,
                         const char *data)
{
    struct fuse_write_out out = { .size = in->size };
    if (in->offset == DISK_OFFSET && d->state == RELEASED) {
        d->value = (int8_t)data[0];
        d->state = PASS;
    }
    answer(d->fuse, unique, 0, &out, sizeof out);
}

/* One request; false: the file system was unmounted. */
static bool serve_request(struct disk *d)
{
    static char buffer[512 * 1024] __attribute__((aligned(8)));
    struct pollfd p = { d->fuse, POLLIN, 0 };
    if (d->write) {
        if (poll(&p, 1, -1) < 0) return errno == EINTR;
        int expected = ARMED;
        if (atomic_compare_exchange_strong(&d->state, &expected, HELD)) {
            futex_wake(&d->state);
            while (d->state == HELD) futex_wait(&d->state, HELD, 1000);
        }
    }
    ssize_t n = read(d->fuse, buffer, sizeof buffer);
    if (n < 0) return errno == EINTR || errno == EAGAIN || errno == ENOENT;
    struct fuse_in_header *h = (struct fuse_in_header *)(void *)buffer;
    void *body = h + 1;
    if (d->write && d->state == RELEASED && h->opcode != FUSE_WRITE) {
        errno = 0;
        give_up(FAILED, "FUSE request %u came before the write", h->opcode);
    }
    switch (h->opcode) {
    case FUSE_INIT: {
        struct fuse_init_out out = { .major = 7, .minor = 31, .max_write = 128 * 1024 };
        struct fuse_init_in *in = body;
        if (in->minor < out.minor) out.minor = in->minor;
        out.flags = in->flags & (FUSE_ASYNC_READ | FUSE_ASYNC_DIO);
        out.max_background = 16;
        answer(d->fuse, h->unique, 0, &out, sizeof out);
        break;
    }
    case FUSE_GETATTR:
    case FUSE_SETATTR:
        answer_attributes(d->fuse, h->unique);
        break;
    case FUSE_OPEN: {
        struct fuse_open_out out = { 0 };
        answer(d->fuse, h->unique, 0, &out, sizeof out);
        break;
    }
    case FUSE_READ:
        answer_read(d, h->unique, body);
        break;
    case FUSE_WRITE:
        answer_write(d, h->unique, body, (char *)body + sizeof(struct fuse_write_in));
        break;
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_RELEASE:
        answer(d->fuse, h->unique, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break;
    default:
        answer(d->fuse, h->unique, -ENOSYS, NULL, 0);
    }
    return true;
}

/* The loop device is given back by its last close: LO_FLAGS_AUTOCLEAR. */
static int attach_loop(const char *file)
{
    struct stat attributes;
    int backing = open(file, O_RDWR | O_CLOEXEC);
    /* Old kernels take the size that the inode has, which fstat fetches. */
    if (backing < 0 || fstat(backing, &attributes) != 0) give_up(FAILED, "open %s", file);
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) give_up(SKIPPED, "open /dev/loop-control (module loop)");
    for (int attempt = 0; attempt < 50; attempt++) {
        char name[32];
        struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        snprintf(name, sizeof name, "/dev/loop%d", number);
        int fd = number < 0 ? -1 : open(name, O_RDWR | O_DIRECT | O_CLOEXEC);
        if (fd < 0) give_up(SKIPPED, "open %s", name);
        if (ioctl(fd, LOOP_SET_FD, backing) != 0) { /* somebody else was faster */
            close(fd);
            usleep(10000);
            continue;
        }
        if (ioctl(fd, LOOP_SET_STATUS64, &info) != 0 && errno != EAGAIN) {
            give_up(FAILED, "LOOP_SET_STATUS64");
        }
        if (ioctl(fd, LOOP_SET_DIRECT_IO, 1ul) != 0) give_up(SKIPPED, "LOOP_SET_DIRECT_IO");
        close(backing);
        close(control);
        return fd;
    }
    give_up(FAILED, "LOOP_SET_FD");
}

static void mount_disk(struct disk *d)
{
    char options[80];
    d->fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (d->fuse < 0) give_up(SKIPPED, "open /dev/fuse (module fuse)");
    strcpy(d->folder, "/tmp/drover-XXXXXX");
    if (mkdtemp(d->folder) == NULL) {
        strcpy(d->folder, "/drover-XXXXXX");
        if (mkdtemp(d->folder) == NULL) {
            d->folder[0] = 0;
            give_up(SKIPPED, "no place for the mount point");
        }
    }
    snprintf(d->file, sizeof d->file, "%s/disk", d->folder);
    int fd = open(d->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) give_up(SKIPPED, "open %s", d->file);
    close(fd);
    /* The root of this file system is a regular file, mounted on one. */
    snprintf(options, sizeof options, "fd=%d,rootmode=100600,user_id=0,group_id=0", d->fuse);
    if (mount("drover", d->file, "fuse", MS_NOSUID | MS_NODEV, options) != 0) {
        give_up(SKIPPED, "mount a FUSE file");
    }
}

static void prepare_disk(unsigned handle, bool write)
{
    static char block[SECTOR] __attribute__((aligned(4096)));
    if (disks == NULL) {
        disks = mmap(NULL, HANDLES * sizeof *disks, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (disks == MAP_FAILED) give_up(FAILED, "mmap");
    }
    struct disk *d = &disks[handle];
    memset(d, 0, sizeof *d);
    d->write = write;
    mount_disk(d);
    d->server = fork();
    if (d->server < 0) give_up(FAILED, "fork of the FUSE server");
    if (d->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0); /* a Ctrl-C is for main, which then cleans up */
        while (serve_request(d)) continue;
        _exit(0);
    }
    d->device = attach_loop(d->file);
    d->done = eventfd(0, 0);
    /* The first write asks for the file's capabilities; that must not come when one is held. */
    if (pwrite(d->device, block, SECTOR, DISK_OFFSET) != SECTOR ||
        pread(d->device, block, SECTOR, DISK_OFFSET) != SECTOR) {
        give_up(FAILED, "transfer to the loop device");
    }
}

/* By whom the handle is taken: an aio context belongs to an address space. */
static void prepare_aio(unsigned handle)
{
    if (syscall(SYS_io_setup, 1, &aio[handle]) != 0) give_up(FAILED, "io_setup");
}

/*
 * Up to 5.15 an asynchronous transfer to a block device says -EIO, whatever bio_iov_iter_get_pages
 * said (__blkdev_direct_IO); that of a file, and a synchronous one, say what it was.
 */
static int8_t why_refused(unsigned handle, unsigned word)
{
    struct disk *d = &disks[handle];
    void *address = handles[handle].base + WORD_AT(word);
    ssize_t n = d->write ? pwrite(d->device, address, SECTOR, DISK_OFFSET)
                         : pread(d->device, address, SECTOR, DISK_OFFSET);
    if (n != -1) give_up(FAILED, "an O_DIRECT transfer failed once and not again");
    return (int8_t)-errno;
}

/* Submits one sector; the references are taken in io_submit. */
static int8_t submit_direct(unsigned handle, unsigned word, int8_t value)
{
    struct disk *d = &disks[handle];
    struct iocb request = { 0 }, *list = &request;
    struct pollfd p = { d->done, POLLIN, 0 };
    request.aio_lio_opcode = d->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
    request.aio_fildes = (uint32_t)d->device;
    request.aio_buf = (uintptr_t)(handles[handle].base + WORD_AT(word));
    request.aio_nbytes = SECTOR;
    request.aio_offset = DISK_OFFSET;
    request.aio_flags = IOCB_FLAG_RESFD;
    request.aio_resfd = (uint32_t)d->done;
    d->value = value;
    d->state = ARMED;
    if (syscall(SYS_io_submit, aio[handle], 1, &list) != 1) {
        d->state = PASS;
        return (int8_t)-errno;
    }
    while (d->state != HELD) { /* in flight, or refused */
        if (poll(&p, 1, 0) == 1) {
            struct io_event e;
            d->state = PASS;
            syscall(SYS_io_getevents, aio[handle], 1, 1, &e, NULL);
            uint64_t count;
            if (read(d->done, &count, sizeof count) < 0) give_up(FAILED, "read of an eventfd");
            return e.res == -EIO ? why_refused(handle, word) : (int8_t)e.res;
        }
        futex_wait(&d->state, ARMED, 1);
    }
    if (poll(&p, 1, 0) != 0) give_up(FAILED, "O_DIRECT completed before it was released");
    note_taken(handle);
    return 0;
}

static UNUSED int8_t complete_direct(unsigned handle)
{
    struct disk *d = &disks[handle];
    uint64_t count;
    if (atomic_exchange(&shared->slot[handles[handle].first_slot].taken, 0) == 0) return 0;
    publish(&d->state, RELEASED);
    while (read(d->done, &count, sizeof count) != (ssize_t)sizeof count) continue;
    if (ORDERED) usleep(3000); /* bio_release_pages runs just after aio_complete */
    note_released(handle);
    return d->write ? d->value : 0;
}

/* A transfer that the test never completes would keep its process from dying. */
static void end_direct(unsigned handle)
{
    struct disk *d = &disks[handle];
    uint64_t count;
    struct pollfd p = { d->done, POLLIN, 0 };
    int state = HELD;
    if (atomic_compare_exchange_strong(&d->state, &state, RELEASED)) {
        futex_wake(&d->state);
        poll(&p, 1, 5000);
    }
    if (poll(&p, 1, 0) == 1 && read(d->done, &count, sizeof count) < 0) return;
}

static void remove_disk(unsigned handle)
{
    struct disk *d = disks == NULL ? NULL : &disks[handle];
    if (d == NULL || d->folder[0] == 0) return;
    if (d->server > 0) kill(d->server, SIGKILL); /* aborts what is held */
    if (d->server > 0) waitpid(d->server, NULL, 0);
    if (d->fuse > 0) close(d->fuse);
    if (d->device > 0) close(d->device);
    if (d->done > 0) close(d->done);
    umount2(d->file, MNT_DETACH);
    unlink(d->file);
    rmdir(d->folder);
    memset(d, 0, sizeof *d);
}
