/* ---- KSM: ksmd scans until it must have met the pages often enough to merge equal ones ---- */
#define KSM "/sys/kernel/mm/ksm/"

static long ksm_value(const char *name)
{
    char path[100];
    long value = -1;
    snprintf(path, sizeof path, KSM "%s", name);
    FILE *file = fopen(path, "r");
    if (file == NULL) return -1;
    if (fscanf(file, "%ld", &value) != 1) value = -1;
    fclose(file);
    return value;
}

static void ksm_set(const char *name, const char *value)
{
    char path[100];
    snprintf(path, sizeof path, KSM "%s", name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, value, strlen(value)) < 0) give_up(FAILED, "write %s", path);
    close(fd);
}

static UNUSED void scan_for_equal_pages(char *address, unsigned pages)
{
    if (ksm_value("run") < 0) give_up(SKIPPED, "the kernel has no KSM");
    if (madvise(address, pages * PAGE, MADV_MERGEABLE) != 0) give_up(FAILED, "MADV_MERGEABLE");
    ksm_set("smart_scan", "0");
    ksm_set("pages_to_scan", "1000");
    ksm_set("sleep_millisecs", "1");
    long until = ksm_value("full_scans") + 6;
    ksm_set("run", "1");
    for (int i = 0; i < 4000 && ksm_value("full_scans") < until; i++) usleep(1000);
    if (ksm_value("full_scans") < until) give_up(SKIPPED, "ksmd does not scan");
    ksm_set("run", "0");
}
