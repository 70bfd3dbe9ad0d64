use auditpack::collect::*;
use auditpack::evidence::*;
use auditpack::evidence::recording::Recording;
use std::sync::Arc;
#[derive(Debug)] struct P;
impl Progress for P { fn retrying(&self,c:&CallId,r:&str,p:std::time::Duration){eprintln!("RETRY {c}: {r} {p:?}");} fn ended(&self,c:&CallId,o:&str){ if o!="collected" {eprintln!("{c} {o}");} } }
#[tokio::main]
async fn main(){
  let mut a=std::env::args().skip(1); let mode=a.next().unwrap(); let dir=std::path::PathBuf::from(a.next().unwrap()); let out=std::path::PathBuf::from(a.next().unwrap());
  let t0=std::time::Instant::now();
  let (session,recording)= if mode=="live" {
    let opts=SessionOptions{endpoint_url:a.next(),..Default::default()};
    let s=Session::connect(&opts,&|_|Err("no".into())).await.unwrap();
    let as_of=Timestamp::parse("2026-10-01T09:00:00Z").unwrap();
    let run=Run{format:Run::FORMAT,version:"x".into(),as_of,period:Period{from:Timestamp(as_of.0-chrono::TimeDelta::days(90)),to:as_of},regions:None,home_region:s.home_region.clone(),frameworks:vec![],operations:Operation::ALL.iter().map(|o|o.to_string()).collect()};
    std::fs::create_dir_all(&dir).unwrap();
    (s,Recording::create(&dir,run).unwrap())
  } else { let r=Recording::open(&dir).unwrap(); (Session::replay(&r.run.home_region),r) };
  std::fs::create_dir_all(&out).unwrap();
  let c=Collection{session,recording:Arc::new(recording),scratch:out.clone(),expect_account:None,progress:Arc::new(P),stop:StopSignal::default()};
  let e=collect(&c).await;
  let e=match e {Ok(e)=>e,Err(x)=>{eprintln!("ERR {x}");std::process::exit(4)}};
  println!("account {:?} regions {:?} notes {:?} took {:?}", e.account,e.regions,e.notes,t0.elapsed());
  for (c,o) in e.calls(){ 
    if let Some(g)=o.gap(){println!("GAP {c}: {g}");}
    if let Some(d)=o.arrived(){ let p=out.join("evidence").join(c.document_path()); std::fs::create_dir_all(p.parent().unwrap()).unwrap(); let mut f=std::io::BufWriter::new(std::fs::File::create(p).unwrap()); d.write(&mut f).unwrap(); }
  }
  println!("{} calls, {} requests", e.calls().count(), c.recording.entries().len());
}
