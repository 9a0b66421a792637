/* ---- 4 to /proc/self/clear_refs ---- */
/* Writing succeeds and does nothing where CONFIG_MEM_SOFT_DIRTY is off: then no page is soft-dirty. */
static UNUSED int8_t clear_soft_dirty(void)
{
    volatile char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) give_up(FAILED, "mmap");
    *page = 1;
    bool known = pagemap_entry((char *)page) >> 55 & 1;
    munmap((void *)page, PAGE);
    if (!known) give_up(SKIPPED, "the kernel has no soft-dirty bits");
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0) give_up(FAILED, "open /proc/self/clear_refs");
    ssize_t written = write(fd, "4", 1);
    int8_t result = written == 1 ? 0 : (int8_t)-errno;
    close(fd);
    return result;
}
