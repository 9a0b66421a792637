/* ---- Order between actors ---- */
static UNUSED void signal_event(unsigned event)
{
    publish(&shared->event[event], 1);
}

static UNUSED void await_event(unsigned event)
{
    for (unsigned n = 0; !ORDERED && n < 2000 && shared->event[event] == 0; n++) continue;
    while (shared->event[event] == 0) futex_wait(&shared->event[event], 0, 1000);
}
