//! Every fault before every call that it can hit: what is called, what is told, when the next look is, and that all is well once
//! the fault is over. `docs/RELIABILITY.md` is written from what comes of it.

mod calls;
mod catalogue;
mod lab;
mod lost_answers;
mod row;
mod table;
mod troubles;

use std::env;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use calls::{Call, Place};
use row::{Row, Without};
use table::Part;
use troubles::Trouble;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RELIABILITY.md");
const REGENERATE: &str = "UPDATE=1 cargo test --test integration fault_matrix";
/// How many controllers start at a time: what is told of a fault has to be seen before the next look.
const STARTS: usize = 4;

/// A place in the matrix.
struct Cell {
    trouble: Trouble,
    call: Call,
    order: (usize, usize),
}

fn in_place(place: Place) -> Vec<Call> {
    let calls = calls::all().into_iter();
    calls.map(|call| if place == Place::Member { call.in_member() } else { call }).collect()
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (at, trouble) in catalogue::all().into_iter().enumerate() {
        let hit = in_place(trouble.place).into_iter().enumerate().filter(|(_, call)| trouble.hits(call));
        cells.extend(hit.map(|(row, call)| Cell { trouble: trouble.clone(), call, order: (at, row) }));
    }
    cells
}

/// What comes of each call where nothing goes wrong.
async fn without_faults(place: Place, turns: &Arc<Semaphore>) -> Vec<Arc<Without>> {
    let runs: Vec<_> = in_place(place)
        .into_iter()
        .map(|call| {
            let turns = Arc::clone(turns);
            tokio::spawn(async move { Arc::new(row::without_fault(&call, &turns).await) })
        })
        .collect();
    let mut all = Vec::new();
    for run in runs {
        all.push(run.await.unwrap());
    }
    all
}

async fn rows() -> Vec<((usize, usize), Row)> {
    let turns = Arc::new(Semaphore::new(STARTS));
    let (own, member) = tokio::join!(without_faults(Place::Own, &turns), without_faults(Place::Member, &turns));
    let mut tasks = JoinSet::new();
    for Cell { trouble, call, order } in cells() {
        let without = Arc::clone(if trouble.place == Place::Own { &own[order.1] } else { &member[order.1] });
        let turns = Arc::clone(&turns);
        tasks.spawn(async move { (order, row::run(&call, &trouble, &without, &turns).await) });
    }
    let mut rows = tasks.join_all().await;
    rows.sort();
    rows
}

fn parts(rows: &[((usize, usize), Row)]) -> Vec<Part> {
    let part = |(at, trouble): (usize, Trouble)| {
        let of_it = rows.iter().filter(|((of, _), _)| *of == at).map(|(_, row)| row.clone());
        Part { title: trouble.title, about: trouble.about, rows: of_it.collect() }
    };
    catalogue::all().into_iter().enumerate().map(part).collect()
}

/// Puts a text between the two marks of its name.
fn put(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no `{begin}` on the page"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no `{end}` on the page"));
    format!("{before}{begin}\n{text}\n{end}{after}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_tells_what_comes_of_every_fault_before_every_call() {
    let parts = parts(&rows().await);
    let shipped = std::fs::read_to_string(DOCUMENT).unwrap();
    let fresh = put(&shipped, "figures", &table::figures());
    let fresh = put(&fresh, "matrix", &table::tables(&calls::all(), &parts));
    if env::var_os("UPDATE").is_some() {
        std::fs::write(DOCUMENT, &fresh).unwrap();
    } else if fresh != shipped {
        let differing = fresh.lines().zip(shipped.lines()).find(|(fresh, shipped)| fresh != shipped);
        panic!("docs/RELIABILITY.md is not what comes of it; look at what differs, and run {REGENERATE}: {differing:#?}");
    }
}
