/* ---- process_vm_writev and process_vm_readv of one word; -errno when refused ---- */
static UNUSED int8_t write_other(unsigned process, char *object, unsigned page, unsigned word,
                                 int8_t value)
{
    struct iovec local = { &value, 1 };
    struct iovec remote = { (void *)(uintptr_t)word_at(object, page, word), 1 };
    if (shared->pid[process] == 0) return -ESRCH;
    ssize_t n = process_vm_writev(shared->pid[process], &local, 1, &remote, 1, 0);
    return n == 1 ? 0 : (int8_t)-errno;
}

static UNUSED int8_t read_other(unsigned process, char *object, unsigned page, unsigned word)
{
    int8_t value = 0;
    struct iovec local = { &value, 1 };
    struct iovec remote = { (void *)(uintptr_t)word_at(object, page, word), 1 };
    if (shared->pid[process] == 0) return -ESRCH;
    ssize_t n = process_vm_readv(shared->pid[process], &local, 1, &remote, 1, 0);
    return n == 1 ? value : (int8_t)-errno;
}
