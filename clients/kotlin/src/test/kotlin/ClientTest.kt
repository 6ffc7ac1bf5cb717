import com.fasterxml.jackson.module.kotlin.readValue
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import no.nav.tiltak.datadeling.infrastructure.Serializer
import no.nav.tiltak.datadeling.models.Endringsside
import no.nav.tiltak.datadeling.models.Tiltakstype
import no.nav.tiltak.datadeling.models.Utdrag

/** What the service answers with is read as it is meant: what is left out is null, and there is a value for the unknown. */
class KlientTest {
    @Test
    fun `a part of an avtale`() {
        val utdrag = Serializer.jacksonObjectMapper.readValue<Utdrag>(
            """{"avtaleId":"04d0033c-754b-4daa-b5ff-6531dc64582c","tiltakstype":"UKJENT","startDato":"2026-02-01","bedriftNr":null,"nyttFelt":1}""",
        )
        assertEquals(Tiltakstype.UKJENT, utdrag.tiltakstype)
        assertEquals("2026-02-01", utdrag.startDato.toString())
        assertNull(utdrag.bedriftNr)
        assertNull(utdrag.avtaleStatus)
    }

    @Test
    fun `a page of the change feed`() {
        val side = Serializer.jacksonObjectMapper.readValue<Endringsside>(
            """{"endringer":[{"avtaleId":"04d0033c-754b-4daa-b5ff-6531dc64582c","type":"SLETTET","aarsak":"FEILREGISTRERT","tidspunkt":"2026-02-04T08:46:40.1Z","_links":{}}],"posisjon":"x","flere":false}""",
        )
        assertEquals(1, side.endringer.size)
        assertEquals("FEILREGISTRERT", side.endringer[0].aarsak?.value)
    }
}
