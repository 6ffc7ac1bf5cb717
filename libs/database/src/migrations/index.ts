import { Grunnlag1763890000000 } from './1763890000000-grunnlag.ts';
import { Endringsstrom1763900000000 } from './1763900000000-endringsstrom.ts';
import { Relasjoner1763900100000 } from './1763900100000-relasjoner.ts';
import { Adapter1763900200000 } from './1763900200000-adapter.ts';
import { Drift1763900300000 } from './1763900300000-drift.ts';
import { Gjenoppbygging1763900300001 } from './1763900300001-gjenoppbygging.ts';
import { Revisor1763900400000 } from './1763900400000-revisor.ts';
import { Historikk1763900500000 } from './1763900500000-historikk.ts';
import { Avstemming1763900600000 } from './1763900600000-avstemming.ts';
import { Synkopprydding1763900700000 } from './1763900700000-synkopprydding.ts';
import { Fase1795684156196 } from './1795684156196-fase.ts';
import { KontraktOgSkrevet1795684192471 } from './1795684192471-kontrakt-og-skrevet.ts';
import { Roller1795684386949 } from './1795684386949-roller.ts';
import { Sletting1795684392617 } from './1795684392617-sletting.ts';
import { Innsyn1795684399396 } from './1795684399396-innsyn.ts';
import { GraphqlGammel1795685623898 } from './1795685623898-graphql-gammel.ts';
import { Identer1795685852459 } from './1795685852459-identer.ts';
import { Statistikk1795686004718 } from './1795686004718-statistikk.ts';
import { Forbruk1795695637165 } from './1795695637165-forbruk.ts';
import { StansetPartisjon1795696085240 } from './1795696085240-stanset-partisjon.ts';
import { Tidslinje1795696286500 } from './1795696286500-tidslinje.ts';
import { Rekkefoelge1795696291426 } from './1795696291426-rekkefoelge.ts';
import { ParkerteSamlet1795696912850 } from './1795696912850-parkerte-samlet.ts';
import { Versjoner1795697907807 } from './1795697907807-versjoner.ts';
import { Oppslagslinje1795706725172 } from './1795706725172-oppslagslinje.ts';
import { KravIBasen1795706869892 } from './1795706869892-krav-i-basen.ts';
import { HistorikkensIndekser1795706874353 } from './1795706874353-historikkens-indekser.ts';
import { Konsumentbruk1795718005756 } from './1795718005756-konsumentbruk.ts';
import { TriggerPosisjon1795718029419 } from './1795718029419-trigger-posisjon.ts';
import { Abonnement1795718380102 } from './1795718380102-abonnement.ts';
import { Driftsside1795719144249 } from './1795719144249-driftsside.ts';
import { AdapterTilbakemelding1795719541294 } from './1795719541294-adapter-tilbakemelding.ts';
import { RelasjonskontrollFeilet1795724443665 } from './1795724443665-relasjonskontroll-feilet.ts';
import { VersjonensNoekler1795729796106 } from './1795729796106-versjonens-noekler.ts';
import { Indekser1795729797615 } from './1795729797615-indekser.ts';
import { Partisjonering1795729840963 } from './1795729840963-partisjonering.ts';
import { Endringspartisjoner1795730157566 } from './1795730157566-endringspartisjoner.ts';
import { Oppslagsmaaneder1795730467194 } from './1795730467194-oppslagsmaaneder.ts';
import { Lagring1795730978236 } from './1795730978236-lagring.ts';
import { Rapportrydding1795731709496 } from './1795731709496-rapportrydding.ts';
import { AvtalerIDatoer1795736553726 } from './1795736553726-avtaler-i-datoer.ts';
import { Organisasjoner1795744876625 } from './1795744876625-organisasjoner.ts';
import { Virksomheter1795744951900 } from './1795744951900-virksomheter.ts';
import { Analyse1795745044733 } from './1795745044733-analyse.ts';
import { SynkRessurs1795745565530 } from './1795745565530-synk-ressurs.ts';
import { RevisorensNoekkelkontroll1795745977474 } from './1795745977474-revisorens-noekkelkontroll.ts';
import { AbonnementHovedenhet1795755074002 } from './1795755074002-abonnement-hovedenhet.ts';
import { Ressursgjenoppbygging1795755131535 } from './1795755131535-ressursgjenoppbygging.ts';
import { RessursStatus1795755246845 } from './1795755246845-ressurs-status.ts';
import { HovedenhetOppslag1795756142194 } from './1795756142194-hovedenhet-oppslag.ts';
import { RevisorensTid1795800000000 } from './1795800000000-revisorens-tid.ts';
import { EnheterUnder1795900000000 } from './1795900000000-enheter-under.ts';
import { HullLukkesAvGjenoppbygging1796000100000 } from './1796000100000-hull-lukkes-av-gjenoppbygging.ts';
import { Gjenoppbyggingsrapport1796000200000 } from './1796000200000-gjenoppbyggingsrapport.ts';
import { GjenoppbyggingFortalt1796010000000 } from './1796010000000-gjenoppbygging-fortalt.ts';
import { RegisterGjenoppbygging1796020000000 } from './1796020000000-register-gjenoppbygging.ts';
import { FeedensHorisont1796300000000 } from './1796300000000-feedens-horisont.ts';
import { TalteNoekler1796400000000 } from './1796400000000-talte-noekler.ts';
import { ProevdSamlet1796400000100 } from './1796400000100-proevd-samlet.ts';
import { HovedenhetRekkevidde1796450000000 } from './1796450000000-hovedenhet-rekkevidde.ts';

/** Oldest first. `nx g migration <name>` adds to the end; one that has been released is never changed. */
export const MIGRATIONS = [
  Grunnlag1763890000000,
  Endringsstrom1763900000000,
  Relasjoner1763900100000,
  Adapter1763900200000,
  Drift1763900300000,
  Gjenoppbygging1763900300001,
  Revisor1763900400000,
  Historikk1763900500000,
  Avstemming1763900600000,
  Synkopprydding1763900700000,
  Fase1795684156196,
  KontraktOgSkrevet1795684192471,
  Roller1795684386949,
  Sletting1795684392617,
  Innsyn1795684399396,
  GraphqlGammel1795685623898,
  Identer1795685852459,
  Statistikk1795686004718,
  Forbruk1795695637165,
  StansetPartisjon1795696085240,
  Tidslinje1795696286500,
  Rekkefoelge1795696291426,
  ParkerteSamlet1795696912850,
  Versjoner1795697907807,
  Oppslagslinje1795706725172,
  KravIBasen1795706869892,
  HistorikkensIndekser1795706874353,
  Konsumentbruk1795718005756,
  TriggerPosisjon1795718029419,
  Abonnement1795718380102,
  Driftsside1795719144249,
  AdapterTilbakemelding1795719541294,
  RelasjonskontrollFeilet1795724443665,
  VersjonensNoekler1795729796106,
  Indekser1795729797615,
  Partisjonering1795729840963,
  Endringspartisjoner1795730157566,
  Oppslagsmaaneder1795730467194,
  Lagring1795730978236,
  Rapportrydding1795731709496,
  AvtalerIDatoer1795736553726,
  Organisasjoner1795744876625,
  Virksomheter1795744951900,
  Analyse1795745044733,
  SynkRessurs1795745565530,
  RevisorensNoekkelkontroll1795745977474,
  AbonnementHovedenhet1795755074002,
  Ressursgjenoppbygging1795755131535,
  RessursStatus1795755246845,
  HovedenhetOppslag1795756142194,
  RevisorensTid1795800000000,
  EnheterUnder1795900000000,
  HullLukkesAvGjenoppbygging1796000100000,
  Gjenoppbyggingsrapport1796000200000,
  GjenoppbyggingFortalt1796010000000,
  RegisterGjenoppbygging1796020000000,
  FeedensHorisont1796300000000,
  TalteNoekler1796400000000,
  ProevdSamlet1796400000100,
  HovedenhetRekkevidde1796450000000,
];
