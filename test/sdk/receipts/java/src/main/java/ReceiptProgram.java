import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Verifies receipts with Nimbus JOSE+JWT: one JSON object a line on stdin, one on stdout, in the same order. The fields are
 * the types of ../../../../receipt-program.ts.
 */
public final class ReceiptProgram {
    private static final Set<String> REQUIRED = Set.of("exp", "iat", "sub", "jti");

    /** Keeps the keys, as in a backend, and fetches them again for an unknown kid. */
    private final Map<String, JWKSource<SecurityContext>> sources = new HashMap<>();

    public static void main(String[] arguments) throws IOException, ParseException {
        var program = new ReceiptProgram();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(JSONObjectUtils.toJSONString(program.perform(JSONObjectUtils.parse(line))));
            System.out.flush();
        }
    }

    private Map<String, Object> perform(Map<String, Object> job) throws IOException, ParseException {
        try {
            return Map.of("claims", verify(job).toJSONObject());
        } catch (ParseException | BadJOSEException | JOSEException rejected) {
            return Map.of("rejected", rejected.getClass().getSimpleName() + ": " + rejected.getMessage());
        }
    }

    private JWTClaimsSet verify(Map<String, Object> job)
            throws IOException, ParseException, BadJOSEException, JOSEException {
        var url = URI.create(JSONObjectUtils.getString(job, "jwks")).toURL();
        var source = sources.computeIfAbsent(
                url.toString(), address -> JWKSourceBuilder.<SecurityContext>create(url).build());
        var expected = new JWTClaimsSet.Builder().issuer(JSONObjectUtils.getString(job, "issuer")).build();
        var claimsVerifier = new DefaultJWTClaimsVerifier<SecurityContext>(
                JSONObjectUtils.getString(job, "audience"), expected, REQUIRED);
        claimsVerifier.setMaxClockSkew(0);
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("upload-receipt+jwt")));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, source));
        processor.setJWTClaimsSetVerifier(claimsVerifier);
        return processor.process(JSONObjectUtils.getString(job, "receipt"), null);
    }
}
