/* fork, GUP-fast and copy-on-write of one page with reference counts, for SPIN: written by hand
 * from src/mm, with the same steps and the same variables as drover's model at coarse granularity,
 * so that times can be compared. What a state holds and what a step is, is drover's choice; SPIN
 * must count the same states (bench/twin.sh compares them). What is called like a function of
 * src/mm or src/device is its twin.
 *
 *   spin -a -DKERNEL=510 -DPROGRAM=5 fork_gup_cow.pml
 *   gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m100000
 *
 * KERNEL: 418 (linux-4.18), 5100 (linux-5.10.0), 510 (linux-5.10). PROGRAM: see below.
 *
 * Left out is what cannot vary here (VMAs, the zero page, swap, the child's TLB entries, the owner
 * of a lock where the program counters tell it), and the properties but in the run with -DOUTCOMES.
 * drover renumbers frames and evaluates properties after every step; here only steps that can
 * change the numbering renumber.
 */
#ifndef KERNEL
#define KERNEL 510
#endif
#ifndef PROGRAM
#define PROGRAM 5
#endif

#if KERNEL == 418
#define BIAS 1            /* FOLL_PIN is a plain reference */
#define PINNED(f) false   /* fork shares every page */
#define REUSABLE(f) (mapcount[IX(f)] == 1)
#define COUNTS_FORK 0
#else
#define BIAS 1024         /* GUP_PIN_COUNTING_BIAS */
#define PINNED(f) (has_pinned && refcount[IX(f)] >= BIAS)
#define REUSABLE(f) (refcount[IX(f)] == 1 && mapcount[IX(f)] == 1)
#define COUNTS_FORK (KERNEL == 510)
#endif

/* --- Programs: bench/scenarios/fork-gup-cow*.litmus ------------------------------------------ */
/* Actors 0 to 2: threads of the parent; 3 and 4: of the child. */
#if PROGRAM == 1
#define PARENTS 3
#define MAIN store(0, 0, 0, 1, 1)
#define THREAD_T store(1, 0, 1, 2, 0); load(1, 0, 0, 0, 1)
#elif PROGRAM == 2
#define PARENTS 3
#define MAIN fork(0, 1)
#define THREAD_T store(1, 0, 1, 2, 0); load(1, 0, 0, 0, 0); store(1, 0, 0, 3, 1)
#define CHILD load(3, 1, 0, 2, 1)
#elif PROGRAM == 3
#define PARENTS 3
#define MAIN fork(0, 0); store(0, 0, 0, 1, 1)
#define THREAD_T store(1, 0, 1, 2, 0); load(1, 0, 0, 0, 1)
#define CHILD store(3, 1, 0, 3, 1)
#elif PROGRAM == 4
#define PARENTS 3
#define MAIN fork(0, 0); store(0, 0, 0, 1, 1)
#define THREAD_T \
  pin_fast(1, 0, 0); dma_write(1, 0, 1, 7, 0); load(1, 0, 1, 0, 1)
#define CHILD store(3, 1, 0, 2, 1)
#elif PROGRAM == 5
#define PARENTS 7
#define MAIN fork(0, 0); store(0, 0, 0, 1, 1)
#define THREAD_T \
  pin_fast(1, 0, 0); dma_write(1, 0, 1, 7, 0); load(1, 0, 1, 0, 1)
#define THREAD_U store(2, 0, 1, 2, 0); load(2, 0, 0, 1, 1)
#define CHILD store(3, 1, 0, 3, 0); load(3, 1, 1, 2, 1)
#define THREAD_C store(4, 1, 1, 4, 1)
#elif PROGRAM == 6
#define PARENTS 7
#define MAIN fork(0, 0); store(0, 0, 0, 1, 0); load(0, 0, 1, 3, 1)
#define THREAD_T \
  pin_fast(1, 0, 0); dma_write(1, 0, 1, 7, 0); load(1, 0, 1, 0, 0); dma_write(1, 0, 0, 8, 1)
#define THREAD_U store(2, 0, 1, 2, 0); load(2, 0, 0, 1, 0); store(2, 0, 0, 5, 1)
#define CHILD store(3, 1, 0, 3, 0); load(3, 1, 1, 2, 1)
#define THREAD_C store(4, 1, 1, 4, 0); store(4, 1, 0, 6, 1)
#else
#define PARENTS 7
#define MAIN fork(0, 0); store(0, 0, 0, 1, 0); load(0, 0, 1, 3, 0); store(0, 0, 1, 9, 1)
#define THREAD_T \
  store(1, 0, 0, 10, 0); pin_fast(1, 0, 0); dma_write(1, 0, 1, 7, 0); load(1, 0, 1, 0, 0); \
  dma_write(1, 0, 0, 8, 1)
#define THREAD_U \
  store(2, 0, 1, 2, 0); load(2, 0, 0, 1, 0); store(2, 0, 0, 5, 0); load(2, 0, 1, 4, 1)
#define CHILD store(3, 1, 0, 3, 0); load(3, 1, 1, 2, 0); store(3, 1, 1, 11, 1)
#define THREAD_C store(4, 1, 1, 4, 0); store(4, 1, 0, 6, 1)
#endif

#ifndef WORDS
#define WORDS 2
#endif
#ifndef FRAMES
#define FRAMES 6          /* more are never named at once: alloc_page asserts it */
#endif
#ifndef ACTORS
#define ACTORS 5
#endif
#define IX(f) ((f) - 1)   /* frames are numbered from 1, 0 is none */
#define AT(f, w) (((f) - 1) * WORDS + (w))
#define BIT(a) (1 << (a))

#define ALLOCATED 1
#define FREED 2           /* somebody still names it */
#define BY_DEVICE 128     /* in a word's audience */

#define WRITE 1
#define DIRTY 2

/* struct page. audience is ghost: the address spaces that may see the word. */
short refcount[FRAMES] = { 1, 0 };
byte mapcount[FRAMES] = { 1, 0 };
byte flags[FRAMES] = { ALLOCATED, 0 };
byte value[FRAMES * WORDS];
byte audience[FRAMES * WORDS] = { 1, 1, 0 };

/* Address spaces: 0 of the parent, 1 of the child. */
byte pte[2] = { 1, 0 };
byte pte_bits[2] = { 3, 0 };
byte readers[2];          /* mmap_lock */
bool writer;              /* of the parent's: fork */
bool ptl;                 /* the parent's page table lock, where fork holds it across steps */
bool has_pinned;
byte wp_seq;
bool started = false;     /* the child runs */
bool forking, cut;        /* ghost: consistent_cut.cpp */
byte tlb_frame, tlb_cpus; /* stale entries of the parent's threads, all of them writable */

/* Actors: the frames their path names, the PTE it compares with, write_protect_seq at the begin. */
byte frame0[ACTORS], frame1[ACTORS];
byte orig[ACTORS];
byte seq[ACTORS];
byte copied;              /* words of fork's early copy */
byte live = 31;           /* bit per thread: not through, and not inside of a faulting access */
byte waits;               /* bit per thread: see store */
byte watching;            /* GUP-fasts under way in the parent */
byte ref[2];              /* frames behind handles */
byte reg[5];

/* --- Canonical form: frames are numbered in order of first use ------------------------------- */
hidden byte to[FRAMES + 1];
hidden byte from[FRAMES + 1];
hidden byte n, i, j;
hidden byte moved;
hidden short old_refcount[FRAMES];
hidden byte old_mapcount[FRAMES];
hidden byte old_flags[FRAMES];
hidden byte old_value[FRAMES * WORDS];
hidden byte old_audience[FRAMES * WORDS];

inline name(v) {
  if
  :: v != 0 ->
     if
     :: to[v] == 0 -> n++; to[v] = n; from[n] = v; moved = moved || n != v
     :: else
     fi;
     v = to[v]
  :: else
  fi
}

inline forget_frame(x) {
  refcount[x] = 0; mapcount[x] = 0; flags[x] = 0;
  j = 0;
  do
  :: j < WORDS -> value[x * WORDS + j] = 0; audience[x * WORDS + j] = 0; j++
  :: else -> break
  od
}

/* Only steps that may change which frames are named, or in what order, need this. */
inline canonical() {
  n = 0; moved = false; i = 0;
  do
  :: i <= FRAMES -> to[i] = 0; i++
  :: else -> break
  od;
  name(pte[0]); name(tlb_frame); name(pte[1]); name(ref[0]); name(ref[1]);
  i = 0;
  do
  :: i < ACTORS -> name(frame0[i]); name(frame1[i]); i++
  :: else -> break
  od;
  i = 0;
  do
  :: i < FRAMES ->
     if
     :: to[i + 1] == 0 && flags[i] != 0 -> forget_frame(i)
     :: else
     fi;
     i++
  :: else -> break
  od;
  if
  :: moved ->
     i = 0;
     do
     :: i < FRAMES ->
        old_refcount[i] = refcount[i]; old_mapcount[i] = mapcount[i]; old_flags[i] = flags[i];
        j = i * WORDS;
        do
        :: j < (i + 1) * WORDS -> old_value[j] = value[j]; old_audience[j] = audience[j]; j++
        :: else -> break
        od;
        i++
     :: else -> break
     od;
     i = 0;
     do
     :: i < n ->
        refcount[i] = old_refcount[IX(from[i + 1])];
        mapcount[i] = old_mapcount[IX(from[i + 1])];
        flags[i] = old_flags[IX(from[i + 1])];
        j = 0;
        do
        :: j < WORDS ->
           value[i * WORDS + j] = old_value[AT(from[i + 1], j)];
           audience[i * WORDS + j] = old_audience[AT(from[i + 1], j)];
           j++
        :: else -> break
        od;
        i++
     :: i >= n && i < FRAMES -> forget_frame(i); i++
     :: else -> break
     od
  :: else
  fi
}

/* --- Pages (page.cpp) ------------------------------------------------------------------------ */
inline alloc_page(f) {
  f = 1;
  do
  :: f <= FRAMES && flags[IX(f)] != 0 -> f++
  :: else -> break
  od;
  assert(f <= FRAMES);
  flags[IX(f)] = ALLOCATED;
  refcount[IX(f)] = 1
}

/* unpin_page: weight BIAS; put_page: 1. */
inline put_page(f, weight) {
  refcount[IX(f)] = refcount[IX(f)] - weight;
  if
  :: refcount[IX(f)] == 0 -> forget_frame(IX(f)); flags[IX(f)] = FREED
  :: else
  fi
}

inline copy_word(a, w) {
  value[AT(frame1[a], w)] = value[AT(frame0[a], w)];
  audience[AT(frame1[a], w)] = audience[AT(frame0[a], w)]
}

/* --- Properties, in the run with -DOUTCOMES only. drover evaluates them in every state; here only
 * where something may have changed that they read. Said once each, the first time. ------------- */
#ifdef OUTCOMES
hidden byte violated;
bool handed_out;          /* in other runs the program counter says so */
#define COHERENCE 1
#define SANITY 2
#define ISOLATION 4
inline violates(property) {
  if
  :: (violated & property) == 0 -> violated = violated | property; printf("VIOLATED %d\n", property)
  :: else
  fi
}
inline check() {
  if
  :: handed_out && pte[0] != ref[0] -> violates(COHERENCE)
  :: else
  fi;
  if
  :: flags[IX(pte[0])] != ALLOCATED || (pte[1] != 0 && flags[IX(pte[1])] != ALLOCATED) ||
     (!ptl && pte[0] == pte[1] && ((pte_bits[0] | pte_bits[1]) & WRITE) != 0) ->
     violates(SANITY)
  :: else
  fi
}
inline may_read(f, m, w) {
  if
  :: (audience[AT(f, w)] & BIT(m)) == 0 -> violates(ISOLATION)
  :: else
  fi
}
inline end_cut() {
  if
  :: !cut -> violates(ISOLATION)
  :: else
  fi
}
inline hand_out() {
  handed_out = true; check()
}
#else
inline check() { skip }
inline may_read(f, m, w) { skip }
inline end_cut() { skip }
inline hand_out() { skip }
#endif

/* --- Ghost: is the child's memory a consistent cut of its parent's? -------------------------- */
hidden byte match, frozen;
inline compare(f, words) {
  j = 0;
  do
  :: j < words ->
     match = match && ((audience[AT(pte[0], j)] & BY_DEVICE) != 0 ||
                       value[AT(pte[0], j)] == value[AT(f, j)]);
     j++
  :: else -> break
  od
}

inline note_store(w) {
  match = true; frozen = false;
  if
  :: pte[1] != 0 && pte[1] != pte[0] -> frozen = true; compare(pte[1], WORDS)
  :: pte[1] == 0 && frame1[0] != 0 -> frozen = w < copied; compare(frame1[0], copied)
  :: else
  fi;
  if
  :: match -> cut = true
  :: !match && !frozen -> cut = false
  :: else
  fi
}

/* --- Loads and stores (cpu_access.cpp, page_fault.cpp, wp_fault.cpp, wp_copy.cpp) ------------ */
#define WAITS(a) ((waits & BIT(a)) != 0)
#define STALE(a) ((tlb_cpus & BIT(a)) != 0)
#define MAY_WRITE(m) ((pte_bits[m] & WRITE) != 0)
#define RUNS(m) (m == 0 || started)
#define LOCKED(m) (m == 0 && writer)

inline drop_stale(a) {
  tlb_cpus = tlb_cpus & ~BIT(a);
  if
  :: tlb_cpus == 0 -> tlb_frame = 0
  :: else
  fi
}

inline through(a, last) {
  live = (last -> live & ~BIT(a) : live | BIT(a))
}
inline inside(a) {
  live = live & ~BIT(a); waits = waits & ~BIT(a)
}

hidden byte changed;
inline write_word(f, m, w, v) {
  changed = value[AT(f, w)] != v;
  value[AT(f, w)] = v; audience[AT(f, w)] = BIT(m);
  if
  :: m == 0 && forking && changed -> note_store(w)
  :: else
  fi
}

/* wp_page_copy as far as its first step goes. */
inline begin_copy(a, m) {
  refcount[IX(pte[m])]++;
  frame0[a] = pte[m]; orig[a] = pte_bits[m];
  alloc_page(frame1[a]);
  canonical()
}

inline exchange(a, m) {
  refcount[IX(frame0[a])]--;      /* never the last one: begin_copy's is left */
  mapcount[IX(frame0[a])]--;
  mapcount[IX(frame1[a])]++;
  pte[m] = frame1[a]; pte_bits[m] = WRITE | DIRTY;
  frame1[a] = 0;
  check();
  canonical()
}

#define SAME_PTE(a, m) (pte[m] == frame0[a] && pte_bits[m] == orig[a])

inline put_old(a) {
  put_page(frame0[a], 1);
  frame0[a] = 0; orig[a] = 0
}

/* What follows begin_copy. lock: 1 if the fault took the mmap_lock itself. */
inline finish_copy(a, m, lock) {
  d_step { copy_word(a, 0) };
#if WORDS > 1
  d_step { copy_word(a, 1) };
#endif
  if
  :: d_step { SAME_PTE(a, m) -> exchange(a, m) };
     d_step { put_old(a); readers[m] = readers[m] - lock; canonical() }
  :: d_step {
       !SAME_PTE(a, m) ->
       put_page(frame1[a], 1); frame1[a] = 0;
       put_old(a); readers[m] = readers[m] - lock; canonical()
     }
  fi
}

inline store(a, m, w, v, last) {
  do
  :: d_step { STALE(a) -> write_word(tlb_frame, m, w, v); through(a, last) };
     break
  :: d_step {
       RUNS(m) && MAY_WRITE(m) && !WAITS(a) ->
       drop_stale(a); write_word(pte[m], m, w, v); through(a, last)
     };
     break
  :: d_step {
       RUNS(m) && !MAY_WRITE(m) && !LOCKED(m) && REUSABLE(pte[m]) ->
       drop_stale(a); inside(a); pte_bits[m] = WRITE | DIRTY; check()
     }
  :: d_step {
       RUNS(m) && !MAY_WRITE(m) && !LOCKED(m) && !REUSABLE(pte[m]) ->
       drop_stale(a); inside(a); readers[m]++; begin_copy(a, m)
     };
     finish_copy(a, m, 1)
  /* The stale entry is gone, the fault waits for the lock; it may find nothing left to do. */
  :: d_step {
       STALE(a) && !MAY_WRITE(m) && LOCKED(m) -> drop_stale(a); inside(a); waits = waits | BIT(a)
     }
  :: d_step { WAITS(a) && !LOCKED(m) && MAY_WRITE(m) -> inside(a) }
  od
}

inline load(a, m, w, r, last) {
  if
  :: d_step {
       STALE(a) ->
       may_read(tlb_frame, m, w); reg[r] = value[AT(tlb_frame, w)]; through(a, last)
     }
  :: d_step {
       RUNS(m) ->
       drop_stale(a); may_read(pte[m], m, w); reg[r] = value[AT(pte[m], w)]; through(a, last)
     }
  fi
}

/* --- fork (fork.cpp) ------------------------------------------------------------------------- */
inline forget_wp_seq() {
  if
  :: watching == 0 -> wp_seq = wp_seq & 1
  :: else
  fi
}

inline lock_for_fork() {
  writer = true; forking = true; cut = true
}

inline begin_early_copy(a) {
  ptl = true; frame0[a] = pte[0];
  alloc_page(frame1[a]);
  canonical()
}

inline begin_sharing() {
  ptl = true; refcount[IX(pte[0])]++; mapcount[IX(pte[0])]++
}

inline share_entry(a) {
  if
  :: MAY_WRITE(0) ->
     tlb_cpus = live & PARENTS & ~BIT(a);
     if
     :: tlb_cpus != 0 -> tlb_frame = pte[0]
     :: else
     fi;
     pte_bits[0] = pte_bits[0] & ~WRITE
  :: else
  fi;
  pte[1] = pte[0]; pte_bits[1] = pte_bits[0];
  ptl = false;
  check()
}

inline end_early_copy(a) {
  mapcount[IX(frame1[a])]++;
  pte[1] = frame1[a]; pte_bits[1] = WRITE | DIRTY;
  frame0[a] = 0; frame1[a] = 0; copied = 0;
  ptl = false;
  check();
  canonical()
}

inline flush(a, last) {
  tlb_frame = 0; tlb_cpus = 0;
  end_cut();
  cut = false; forking = false;
  j = 0;
  do
  :: j < WORDS ->
     if
     :: audience[AT(pte[1], j)] & BIT(0) ->
        audience[AT(pte[1], j)] = audience[AT(pte[1], j)] | BIT(1)
     :: else
     fi;
     j++
  :: else -> break
  od;
  writer = false; started = true;
  through(a, last)
}

inline early_copy_words(a) {
#if WORDS > 1
  d_step { copy_word(a, 0); copied = 1 };
  d_step { copy_word(a, 1); end_early_copy(a) }
#else
  d_step { copy_word(a, 0); end_early_copy(a) }
#endif
}

inline fork(a, last) {
#if COUNTS_FORK
  d_step { readers[0] == 0 -> lock_for_fork(); wp_seq++; forget_wp_seq() };
  if
  :: d_step { PINNED(pte[0]) -> begin_early_copy(a) };
     early_copy_words(a)
  :: d_step { !PINNED(pte[0]) -> begin_sharing() };
     d_step { share_entry(a) }
  fi;
  d_step { wp_seq++; forget_wp_seq() };
  d_step { skip };
#else
  if
  :: d_step { readers[0] == 0 && PINNED(pte[0]) -> lock_for_fork(); begin_early_copy(a) };
     early_copy_words(a)
  :: d_step { readers[0] == 0 && !PINNED(pte[0]) -> lock_for_fork(); begin_sharing() };
     d_step { share_entry(a) }
  fi;
  d_step { skip };
#endif
  d_step { flush(a, last) }
}

/* --- pin(buf, FOLL_WRITE, fast) by a thread of the parent (gup_fast.cpp, gup_slow.cpp) ------- */
inline begin_fast() {
  watching++;
#if BIAS > 1
  has_pinned = true
#endif
}

inline end_fast(a) {
  watching--; seq[a] = 0;
  forget_wp_seq()
}

inline undo(a) {
  put_page(frame0[a], BIAS);
  frame0[a] = 0;
  canonical()
}

inline grab(a, h, last) {
  refcount[IX(pte[0])] = refcount[IX(pte[0])] + BIAS;
  ref[h] = pte[0];
  through(a, last);
  hand_out()
}

#define FAST_SAME(a) (pte[0] == frame0[a] && MAY_WRITE(0))

/* Once in a process: it has labels. */
inline pin_fast(a, h, last) {
  do
#if COUNTS_FORK
  :: d_step { (wp_seq & 1) == 1 -> begin_fast() };
     goto slow
  :: d_step { (wp_seq & 1) == 0 -> seq[a] = wp_seq; begin_fast() };
#else
  :: d_step { begin_fast() };
#endif
     if
     :: d_step { !MAY_WRITE(0) -> skip };
        goto slow
     :: d_step { MAY_WRITE(0) -> frame0[a] = pte[0] }
     fi;
     if
     :: d_step { flags[IX(frame0[a])] != ALLOCATED -> frame0[a] = 0; canonical() };
        goto slow
     :: d_step { flags[IX(frame0[a])] == ALLOCATED -> refcount[IX(frame0[a])]++ }
     fi;
#if BIAS > 1
     d_step { refcount[IX(frame0[a])] = refcount[IX(frame0[a])] + BIAS - 1 };
#endif
     if
     :: d_step { !FAST_SAME(a) -> undo(a) };
        goto slow
#if COUNTS_FORK
     :: d_step { FAST_SAME(a) -> ref[h] = frame0[a]; frame0[a] = 0 };
        if
        :: d_step { wp_seq == seq[a] -> end_fast(a); through(a, last); hand_out() };
           break
        :: d_step { wp_seq != seq[a] -> skip };
           d_step { put_page(ref[h], BIAS); ref[h] = 0; canonical() }
        fi
#else
     :: d_step {
          FAST_SAME(a) ->
          ref[h] = frame0[a]; frame0[a] = 0; end_fast(a); through(a, last); hand_out()
        };
        break
#endif
     fi;
slow:
     if
     :: d_step { !writer && MAY_WRITE(0) -> end_fast(a); grab(a, h, last) };
        break
     :: d_step { !writer && !MAY_WRITE(0) -> end_fast(a); readers[0]++ }
     fi;
fault:
     if
     :: d_step { MAY_WRITE(0) -> skip }
     :: d_step { !MAY_WRITE(0) && REUSABLE(pte[0]) -> pte_bits[0] = WRITE | DIRTY; check() }
     :: d_step { !MAY_WRITE(0) && !REUSABLE(pte[0]) -> begin_copy(a, 0) };
        finish_copy(a, 0, 0)
     fi;
     if
     :: d_step { MAY_WRITE(0) -> readers[0]--; grab(a, h, last) };
        break
     :: d_step { !MAY_WRITE(0) -> skip };
        goto fault
     fi
  od
}

/* --- Devices (dma.cpp) ----------------------------------------------------------------------- */
inline dma_write(a, h, w, v, last) {
  d_step {
    value[AT(ref[h], w)] = v; audience[AT(ref[h], w)] = BIT(0) | BY_DEVICE;
    through(a, last)
  }
}

/* SPIN drops variables that nobody reads; nobody gets here. */
#define OVER (reg[0] + reg[1] + reg[2] + reg[3] + reg[4] == 1275)

active proctype main() { MAIN; end: OVER }
active proctype t() { THREAD_T; end: false }
#ifdef THREAD_U
active proctype u() { THREAD_U; end: false }
#endif
#ifdef CHILD
active proctype c() { CHILD; end: false }
#endif
#ifdef THREAD_C
active proctype ct() { THREAD_C; end: false }
#endif

/* -DOUTCOMES: a line for each final state, and two states more: a run of its own. */
#ifdef OUTCOMES
active proctype outcomes() {
end:
  atomic {
    timeout ->
    if
    :: pte[1] != 0 -> i = value[AT(pte[1], 0)]; j = value[AT(pte[1], 1)]
    :: else -> i = 0; j = 0
    fi;
    printf("OUTCOME p:buf.x=%d p:buf.y=%d c:buf.x=%d c:buf.y=%d ", value[AT(pte[0], 0)],
           value[AT(pte[0], 1)], i, j);
    printf("p.t:r=%d p.u:s=%d c:r=%d p:q=%d p.u:v=%d same_frame(h,p:buf)=%d\n", reg[0], reg[1],
           reg[2], reg[3], reg[4], ref[0] == pte[0])
  }
}
#endif
