/*
 * ---- Read-only long-term pins: the kernel's own gup_test (CONFIG_GUP_TEST, from 6.2 on) ----
 * PIN_LONGTERM_TEST_START pins with FOLL_LONGTERM, through the slow or the fast entry, and keeps the
 * pin until STOP, or until any process closes its last descriptor of the file; there is one pin in
 * the whole kernel at a time. READ copies the pinned pages. The other ioctls of gup_test release
 * what they take before they return.
 */
#include <sys/ioctl.h>
#include <sys/mount.h>

struct pin_longterm_test { /* mm/gup_test.h; not exported to user space */
    uint64_t addr, size;
    uint32_t flags;
};
#define PIN_LONGTERM_TEST_START _IOW('g', 7, struct pin_longterm_test)
#define PIN_LONGTERM_TEST_STOP _IO('g', 8)
#define PIN_LONGTERM_TEST_READ _IOW('g', 9, uint64_t)
#define PIN_LONGTERM_TEST_FLAG_USE_FAST 2u
static int gup_test = -1;

static void prepare_gup_test(void)
{
    gup_test = open("/sys/kernel/debug/gup_test", O_RDWR | O_CLOEXEC);
    if (gup_test < 0 && mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL) == 0) {
        gup_test = open("/sys/kernel/debug/gup_test", O_RDWR | O_CLOEXEC);
    }
    if (gup_test < 0) give_up(SKIPPED, "open /sys/kernel/debug/gup_test (CONFIG_GUP_TEST)");
    /* Older ones know no such command: EINVAL. Where it is known, stopping nothing is no error. */
    if (ioctl(gup_test, PIN_LONGTERM_TEST_STOP) != 0) {
        give_up(SKIPPED, "gup_test of this kernel keeps no pins (6.2 on)");
    }
}

static int8_t gup_test_pin(unsigned handle, bool fast)
{
    struct pin_longterm_test t = { .addr = (uintptr_t)handles[handle].base,
                                   .size = handles[handle].pages * PAGE,
                                   .flags = fast ? PIN_LONGTERM_TEST_FLAG_USE_FAST : 0 };
    if (ioctl(gup_test, PIN_LONGTERM_TEST_START, &t) != 0) return (int8_t)-errno;
    note_taken(handle);
    return 0;
}

static UNUSED void gup_test_unpin(unsigned handle)
{
    if (note_released(handle) && ioctl(gup_test, PIN_LONGTERM_TEST_STOP) != 0) {
        give_up(FAILED, "PIN_LONGTERM_TEST_STOP");
    }
}

static UNUSED int8_t gup_test_read(unsigned handle, unsigned page, unsigned word)
{
    static char bytes[PAGES * PAGE] __attribute__((aligned(4096)));
    uint64_t address = (uintptr_t)bytes;
    if (!shared->slot[handles[handle].first_slot].taken) return 0;
    if (ioctl(gup_test, PIN_LONGTERM_TEST_READ, &address) != 0) {
        give_up(FAILED, "PIN_LONGTERM_TEST_READ");
    }
    return (int8_t)bytes[page * PAGE + WORD_AT(word)];
}
