/* ---- userfaultfd: a write to protected memory waits until the protection goes ---- */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
/* Of 6.8, whose header the system may lack. */
struct move_argument {
    uint64_t dst, src, len, mode;
    int64_t moved;
};
#define MOVE_REQUEST _IOWR(UFFDIO, 0x05, struct move_argument)
#define MOVE_FEATURE (1ull << 16)

static int uffd = -1;
static pid_t uffd_owner; /* a child's copy of the descriptor acts on its parent's memory */
static pthread_mutex_t uffd_lock = PTHREAD_MUTEX_INITIALIZER;

static void open_userfaultfd(uint64_t features)
{
    if (uffd >= 0 && uffd_owner == getpid()) return;
    uffd_owner = getpid();
    uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (uffd < 0) give_up(SKIPPED, "userfaultfd: %s", strerror(errno));
    struct uffdio_api api = { .api = UFFD_API, .features = features };
    if (ioctl(uffd, UFFDIO_API, &api) != 0) {
        give_up(SKIPPED, "this kernel's userfaultfd lacks the feature (%s)", strerror(errno));
    }
}

static void register_range(char *address, unsigned pages, uint64_t mode)
{
    struct uffdio_register r = { .range = { (uint64_t)address, pages * PAGE }, .mode = mode };
    if (ioctl(uffd, UFFDIO_REGISTER, &r) != 0 && errno != EBUSY) give_up(FAILED, "UFFDIO_REGISTER");
}

static UNUSED int8_t uffd_protect(char *address, unsigned pages, bool protect)
{
    pthread_mutex_lock(&uffd_lock);
    open_userfaultfd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
    register_range(address, pages, UFFDIO_REGISTER_MODE_WP);
    pthread_mutex_unlock(&uffd_lock);
    struct uffdio_writeprotect wp = { .range = { (uint64_t)address, pages * PAGE },
                                      .mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0 };
    return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp) == 0 ? 0 : (int8_t)-errno;
}

static UNUSED int8_t uffd_move(char *from, unsigned pages, char *to)
{
    open_userfaultfd(MOVE_FEATURE);
    register_range(to, pages, UFFDIO_REGISTER_MODE_MISSING);
    struct move_argument move = { .dst = (uint64_t)to, .src = (uint64_t)from, .len = pages * PAGE };
    int8_t result = ioctl(uffd, MOVE_REQUEST, &move) == 0 ? 0 : (int8_t)-errno;
    /* Else the next access of what is missing there would wait for somebody to provide it. */
    struct uffdio_range range = { (uint64_t)to, pages * PAGE };
    if (ioctl(uffd, UFFDIO_UNREGISTER, &range) != 0) give_up(FAILED, "UFFDIO_UNREGISTER");
    return result;
}
