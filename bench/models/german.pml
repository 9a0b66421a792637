/* German's cache coherence protocol with data values, for SPIN: the same states and rules as
 * tests/explore/models/german.hpp, so that rates can be compared. Every rule is one atomic step of the
 * one process. SPIN counts 1,105,435 states at N = 4, as the C++ model does: one more than Murphi for the
 * choice of the start state.
 */
#ifndef N
#define N 4
#endif
#ifndef SCRATCH
#define SCRATCH hidden  /* 0 between steps; SPIN's breadth-first search wants it empty */
#endif

#define INVALID   0   /* line of a cache */
#define SHARED    1
#define EXCLUSIVE 2

#define NOTHING       0   /* channel 1 and the directory's command */
#define ASK_SHARED    1
#define ASK_EXCLUSIVE 2

#define EMPTY           0   /* channel 2 */
#define INVALIDATE      1
#define GRANT_SHARED    2
#define GRANT_EXCLUSIVE 3

/* Data: 0 undefined, 1 and 2 the two values. CurPtr: 0 undefined, else the cache and 1. */
byte line[N]; byte line_data[N];
byte request[N];
byte reply[N]; byte reply_data[N];
bit ack[N]; byte ack_data[N];
bit sharer[N]; bit to_invalidate[N];
bit granted; byte command; byte client; byte memory; byte latest;

inline copy_sharers() {
  k = 0;
  do
  :: k < N -> to_invalidate[k] = sharer[k]; k++
  :: else -> break
  od;
  k = 0
}

/* CntrlProp and DataProp. */
inline check() {
  assert(granted || memory == latest);
  holders = 0; owners = 0; k = 0;
  do
  :: k < N ->
     if
     :: line[k] != INVALID -> holders++; assert(line_data[k] == latest)
     :: else
     fi;
     if
     :: line[k] == EXCLUSIVE -> owners++
     :: else
     fi;
     k++
  :: else -> break
  od;
  assert(owners == 0 || holders == 1);
  k = 0; holders = 0; owners = 0
}

#if N == 4
#define NO_SHARER (!sharer[0] && !sharer[1] && !sharer[2] && !sharer[3])
#elif N == 5
#define NO_SHARER (!sharer[0] && !sharer[1] && !sharer[2] && !sharer[3] && !sharer[4])
#elif N == 3
#define NO_SHARER (!sharer[0] && !sharer[1] && !sharer[2])
#endif

#define RULES(i) \
  :: d_step { line[i] == EXCLUSIVE -> line_data[i] = 1; latest = 1; check() } \
  :: d_step { line[i] == EXCLUSIVE -> line_data[i] = 2; latest = 2; check() } \
  :: d_step { request[i] == NOTHING && line[i] == INVALID -> request[i] = ASK_SHARED; check() } \
  :: d_step { request[i] == NOTHING && line[i] != EXCLUSIVE -> request[i] = ASK_EXCLUSIVE; check() } \
  :: d_step { command == NOTHING && request[i] != NOTHING -> \
       command = request[i]; client = i + 1; request[i] = NOTHING; copy_sharers(); check() } \
  :: d_step { reply[i] == EMPTY && to_invalidate[i] && \
       (command == ASK_EXCLUSIVE || (command == ASK_SHARED && granted)) -> \
       reply[i] = INVALIDATE; to_invalidate[i] = 0; check() } \
  :: d_step { reply[i] == INVALIDATE && !ack[i] -> \
       reply[i] = EMPTY; ack[i] = 1; \
       if :: line[i] == EXCLUSIVE -> ack_data[i] = line_data[i] :: else fi; \
       line[i] = INVALID; line_data[i] = 0; check() } \
  :: d_step { ack[i] && command != NOTHING -> \
       ack[i] = 0; sharer[i] = 0; \
       if :: granted -> granted = 0; memory = ack_data[i]; ack_data[i] = 0 :: else fi; check() } \
  :: d_step { command == ASK_SHARED && client == i + 1 && reply[i] == EMPTY && !granted -> \
       reply[i] = GRANT_SHARED; reply_data[i] = memory; sharer[i] = 1; \
       command = NOTHING; client = 0; check() } \
  :: d_step { command == ASK_EXCLUSIVE && client == i + 1 && reply[i] == EMPTY && !granted && \
       NO_SHARER -> \
       reply[i] = GRANT_EXCLUSIVE; reply_data[i] = memory; sharer[i] = 1; granted = 1; \
       command = NOTHING; client = 0; check() } \
  :: d_step { reply[i] == GRANT_SHARED -> \
       line[i] = SHARED; line_data[i] = reply_data[i]; reply[i] = EMPTY; reply_data[i] = 0; check() } \
  :: d_step { reply[i] == GRANT_EXCLUSIVE -> \
       line[i] = EXCLUSIVE; line_data[i] = reply_data[i]; reply[i] = EMPTY; reply_data[i] = 0; check() }

SCRATCH byte k; SCRATCH byte holders; SCRATCH byte owners;

active proctype german() {
  if
  :: d_step { memory = 1; latest = 1 }
  :: d_step { memory = 2; latest = 2 }
  fi;
  do
  RULES(0)
  RULES(1)
  RULES(2)
#if N > 3
  RULES(3)
#endif
#if N > 4
  RULES(4)
#endif
  od
}
