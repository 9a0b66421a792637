/* ---- MADV_PAGEOUT, swapoff, move_pages; all give 0 or -errno ---- */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

/* The first swap device of /proc/swaps, or false. */
static bool swap_device(char *name, size_t size)
{
    char line[300];
    FILE *swaps = fopen("/proc/swaps", "r");
    if (swaps == NULL) return false;
    bool found = fgets(line, sizeof line, swaps) != NULL && fgets(line, sizeof line, swaps) != NULL;
    fclose(swaps);
    if (!found) return false;
    line[strcspn(line, " \t")] = 0;
    snprintf(name, size, "%s", line);
    return true;
}

/* One page at a time, as the page may be skipped while its neighbours keep the LRU lists busy. */
static UNUSED int8_t page_out(char *address, unsigned pages)
{
    char device[300];
    if (!swap_device(device, sizeof device)) give_up(SKIPPED, "the machine has no swap device");
    return madvise(address, pages * PAGE, MADV_PAGEOUT) == -1 ? (int8_t)-errno : 0;
}

static UNUSED int8_t swap_off_and_on(void)
{
    char device[300];
    if (!swap_device(device, sizeof device)) give_up(SKIPPED, "the machine has no swap device");
    if (strstr(device, "zram") == NULL) give_up(SKIPPED, "%s is not a test machine's", device);
    if (swapoff(device) == -1) return (int8_t)-errno;
    if (swapon(device, 0) == -1) give_up(FAILED, "swapon %s", device);
    return 0;
}

/*
 * Each page to the node that it is not on: asked for the node where a page already is, the kernel
 * leaves it there and reports success (add_page_for_migration). move_pages leaves the status alone
 * of a page that it could not migrate.
 */
static UNUSED int8_t move_to_other_node(char *address, unsigned pages)
{
    void *page[16];
    int node[16], status[16];
    if (access("/sys/devices/system/node/node1", F_OK) != 0) {
        give_up(SKIPPED, "the machine has one NUMA node");
    }
    for (unsigned i = 0; i < pages; i++) page[i] = address + i * PAGE;
    /* Without nodes it only tells where the pages are. */
    if (syscall(SYS_move_pages, 0, (unsigned long)pages, page, NULL, status, 0) == -1) {
        return (int8_t)-errno;
    }
    for (unsigned i = 0; i < pages; i++) {
        node[i] = status[i] == 1 ? 0 : 1;
        status[i] = -999;
    }
    if (syscall(SYS_move_pages, 0, (unsigned long)pages, page, node, status, 2 /* MPOL_MF_MOVE */) == -1) {
        return (int8_t)-errno;
    }
    for (unsigned i = 0; i < pages; i++) {
        if (status[i] == -EFAULT) return -EFAULT;
        if (status[i] != node[i] && status[i] != -ENOENT) return -EBUSY;
    }
    return 0;
}
