/* Leader election in a unidirectional ring of N processes (Dolev, Klawe and Rodeh, 1982), for SPIN:
 * the same states and steps as tests/explore/models/leader.hpp, which says how it works, without an
 * offset. A d_step is one step; each process has one control location. A send that would have to
 * wait for room is an error within d_step, so CAPACITY bounds nothing. No xr and xs: they are for
 * SPIN's reduction only.
 */
#ifndef N
#define N 10
#endif
#ifndef SCRATCH
#define SCRATCH hidden  /* 0 between steps; SPIN's breadth-first search wants it empty */
#endif
#define CAPACITY 5

#define ASLEEP   0  /* phase */
#define ACTIVE   1
#define RELAY    2
#define FOLLOWER 3
#define LEADER   4

#define NOTHING 0   /* kind of message */
#define ONE     1
#define TWO     2
#define WINNER  3

#define NUMBER (_pid / 2 + 1 + (_pid % 2) * ((N + 1) / 2))

chan to[N] = [CAPACITY] of { byte, byte };
byte leaders;  /* the phases say as much: no states of its own */

SCRATCH byte got; SCRATCH byte number;

inline say(what, whom) { kind = what; value = whom }

active [N] proctype process() {
  byte phase; byte maximum; byte before; bit knows;
  byte kind; byte value;  /* to be sent */
end:
  do
  :: d_step { kind == NOTHING && phase == ASLEEP ->
       phase = ACTIVE; maximum = NUMBER; say(ONE, NUMBER) }
  :: d_step { kind != NOTHING -> to[(_pid + 1) % N]!kind,value; kind = NOTHING; value = 0 }
  :: d_step { kind == NOTHING && (phase == ACTIVE || phase == RELAY) && len(to[_pid]) > 0 ->
       to[_pid]?got,number;
       if
       :: got == WINNER ->
          if
          :: !knows -> say(WINNER, number)
          :: else
          fi;
          if
          :: number == NUMBER -> phase = LEADER; leaders++; assert(leaders == 1)
          :: else -> phase = FOLLOWER
          fi;
          maximum = 0; before = 0
       :: got != WINNER && phase == RELAY -> say(got, number)
       :: got == ONE && phase == ACTIVE ->
          if
          :: number == maximum -> knows = 1; say(WINNER, number)
          :: else -> before = number; say(TWO, number)
          fi
       :: got == TWO && phase == ACTIVE ->
          if
          :: before > number && before > maximum -> maximum = before; say(ONE, before)
          :: else -> phase = RELAY; maximum = 0
          fi;
          before = 0
       fi;
       got = 0; number = 0 }
  od
}
