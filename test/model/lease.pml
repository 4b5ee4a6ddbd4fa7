/*
 * The lease protocol: leases, fences, completion, and a restore from a backup, with agents that stand still at any
 * moment and messages that arrive any number of times. One task; see README.md.
 *
 * The store is one record. Each step on it is atomic (compare-and-swap); between two steps anything may happen.
 * Compile with -DNO_FENCE, -DNO_EPOCH, -DNO_GENERATION to see spin find what each is for.
 */
#ifndef AGENTS
#define AGENTS 2
#endif
#ifndef LEASES
#define LEASES 3
#endif

mtype = { QUEUED, RUNNING, DONE };

typedef Record {
  mtype status;
  byte generation; /* of the lease */
  byte epoch;
  byte holder
};

Record store, backup;
byte generation = 1;     /* of the storage: no backup holds it */
bool hasBackup = false;
bool restored = false;
byte completions = 0;    /* recorded, in the history that counts */
byte backupCompletions = 0;
byte leases = 0;

/* Which fences were ever given out, and to whom: a fence is generation * 8 + epoch. */
byte givenTo[32];
bool staleAccepted = false;
bool givenTwice = false;

#define FENCE(g, e) ((g) * 8 + (e))

inline lease(me, g, e) {
  atomic {
    store.status == QUEUED && leases < LEASES;
    leases++;
#ifndef NO_EPOCH
    store.epoch++;
#endif
    store.status = RUNNING;
#ifdef NO_GENERATION
    store.generation = 1;
#else
    store.generation = generation;
#endif
    store.holder = me;
    g = store.generation;
    e = store.epoch;
    if
    :: givenTo[FENCE(g, e)] != 0 -> givenTwice = true
    :: else
    fi;
    givenTo[FENCE(g, e)] = me
  }
}

inline complete(me, g, e) {
  atomic {
    if
#ifdef NO_FENCE
    :: store.status == RUNNING ->
#else
    :: store.status == RUNNING && store.generation == g && store.epoch == e ->
#endif
      if
      :: store.holder != me || store.generation != g || store.epoch != e -> staleAccepted = true
      :: else
      fi;
      store.status = DONE;
      completions++
    :: else /* refused */
    fi
  }
}

/* An agent works as long as it likes, and says any number of times that it is done: repeated, late, after its death. */
active [AGENTS] proctype Agent() {
  byte g, e;
  byte me = _pid + 1;
end:
  do
  :: lease(me, g, e);
     do
     :: complete(me, g, e)
     :: break
     od
  od
}

/* The lease of a holder that gives no sign of life is over: whether it is dead or slow, nobody knows. */
active proctype Sweep() {
end:
  do
  :: atomic { store.status == RUNNING -> store.status = QUEUED; store.holder = 0 }
  od
}

active proctype Operator() {
  atomic {
    backup.status = store.status;
    backup.generation = store.generation;
    backup.epoch = store.epoch;
    backup.holder = store.holder;
    backupCompletions = completions;
    hasBackup = true
  }
  if
  :: atomic {
       store.status = backup.status;
       store.generation = backup.generation;
       store.epoch = backup.epoch;
       store.holder = backup.holder;
       completions = backupCompletions;
       generation++;
       restored = true
     }
  :: skip
  fi
}

init {
  atomic { store.status = QUEUED }
}

ltl once { [] (completions <= 1) }
ltl fenced { [] (!staleAccepted) }
ltl unique { [] (!givenTwice) }
