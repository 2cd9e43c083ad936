//! Several replicas, one of which writes: whatever becomes of the leader, of the way to the API server, or of clocks, the sandbox's journal
//! shows that no write was made but by whoever held the lease.

mod by_hand;
mod commands;
mod crash;
mod leases;
mod partition;
mod records;
mod replica;
mod standby;
