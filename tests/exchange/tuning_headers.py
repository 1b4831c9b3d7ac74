"""Tables by which the guesser of columns was tuned: each header with what it is, and rows as such files have them.

The tables it is judged by are in ``unseen_headers.py``; they were written afterwards, and it was not changed for them.
"""

from __future__ import annotations

from tests.exchange.header_sets import HeaderSet, columns

TUNING: tuple[HeaderSet, ...] = (
    columns(
        "fr-erp-sage", "Code client:reference|Intitulé:name|Adresse:street|Complément:|Code postal:postcode|Ville:city|"
        "Pays:country|Téléphone:phone|Télécopie:|E-mail:email|N° SIRET:siret|Code NAF:|Représentant:|Catégorie tarifaire:",
        "C00123|SPAR BORDEAUX CENTRE|14 RUE SAINTE CATHERINE||33000|BORDEAUX|FRANCE|0556481200|0556481201|"
        "spar.bx@orange.fr|39962626600387|4711C|DUPONT|1",
        "C00124|VIVAL LIBOURNE|3 PLACE ABEL SURCHAMP|BP 12|33500|LIBOURNE|FRANCE|0557510033||vival.lib@free.fr|"
        "17999533700401|4711B|DUPONT|2",
    ),
    columns(
        "fr-enseigne", "ID Magasin:reference|Enseigne:banner|Nom Magasin:name|Format:store_type|Rue:street|CP:postcode|"
        "Commune:city|Latitude:lat|Longitude:lon|Surface de vente:surface_m2|Horaires:opening_hours",
        "1201|Carrefour City|Carrefour City Gambetta|Proximité|rue Gambetta|31000|Toulouse|43,604652|1,444209|320|"
        "Mo-Sa 08:00-20:00",
        "1202|Carrefour Market|Carrefour Market Balma|Supermarché|avenue de Toulouse|31130|Balma|43,611|1,499|1850|"
        "Mo-Sa 08:30-20:30",
    ),
    columns(
        "fr-lambert", "num_pdv:reference|libelle_pdv:name|x_l93:lon|y_l93:lat|code_insee:|nom_commune:city|typologie:"
        "store_type|secteur:sector",
        "77|TABAC DU PORT|652381,02|6862047,13|75056|PARIS|Tabac presse|IDF1",
        "78|BAR DES AMIS|843210,5|6519012,8|69123|LYON|CHR|RA2",
        "79|LE FOURNIL|894012,1|6247511,0|13055|MARSEILLE|Boulangerie|RA2",
    ),
    columns(
        "fr-plein-texte", "Raison sociale:name|Adresse complète:address|Tél.:phone|Site web:website|Statut:state|"
        "Segment:segment|Fréquence de visite:visit_interval_days|Commentaires:note",
        "Épicerie Martin|12 rue de la Paix, 75002 Paris|01 42 00 00 01|www.epicerie-martin.fr|Actif|A|28|Bon accueil",
        "Chez Paul|5 bis avenue Foch, 69006 Lyon|04 78 00 00 02|https://chezpaul.fr|Prospect|B|56|",
    ),
    columns(
        "fr-gps", "Client:name|N° client:reference|Coordonnées GPS:position|Ville:city|Département:|Commercial:",
        "PROXI ROYAN|45012|45.6236, -1.0283|ROYAN|17|Asha Rey", "SPAR SAINTES|45013|45.7445, -0.6333|SAINTES|17|Asha Rey",
    ),
    columns(
        "en-salesforce", "Account ID:reference|Account Name:name|Type:store_type|Parent Account:group_name|Billing Street:"
        "street|Billing City:city|Billing State/Province:|Billing Zip/Postal Code:postcode|Billing Country:country|Phone:"
        "phone|Website:website|Account Owner:|Created Date:|Last Modified:",
        "0018d00000XyZ1A|Tesco Express Camden|Convenience|Tesco PLC|12 High Street|London||NW1 8QP|United Kingdom|"
        "+44 20 7946 0011|https://www.tesco.com|J Smith|12/03/2021|05/06/2024",
        "0018d00000XyZ1B|Spar Leeds|Convenience|Spar UK|4 Park Row|Leeds||LS1 5HD|United Kingdom|+44 113 496 0022|"
        "spar.co.uk|J Smith|14/03/2021|",
    ),
    columns(
        "en-distributor", "Cust No:reference|Customer:name|Addr1:street|Addr2:|Town:city|Post Code:postcode|Tel:phone|"
        "Fax:|Channel:store_type|Depot:distributor|Rep:|Credit Limit:",
        "A1002|The Corner Shop|7 Mill Lane||Hove|BN3 1AA|01273 496001||Convenience|South|K1|500",
        "A1003|Harbour Cafe|Pier Road|Unit 2|Whitby|YO21 3PU|01947 496002||Cafe|North|K2|1500",
    ),
    columns(
        "en-geo", "store_id:reference|store_name:name|brand:banner|lng:lon|lat:lat|address:street|zip:postcode|city:city|"
        "country_code:country|opening_hours:opening_hours|email:email",
        "991|Lidl Dublin 8|Lidl|-6.2797|53.3381|Cork Street|D08 X7F2|Dublin|IE|Mo-Su 08:00-22:00|d8@lidl.example",
        "992|Aldi Cork|Aldi|-8.4756|51.8985|Main Street|T12 AB34|Cork|IE|Mo-Sa 09:00-21:00|cork@aldi.example",
    ),
    columns(
        "en-overpass", "@id:reference|name:name|shop:store_type|addr:housenumber:house_number|addr:street:street|"
        "addr:postcode:postcode|addr:city:city|phone:phone|website:website|opening_hours:opening_hours|@lat:lat|@lon:lon",
        "node/123|R-kioski|kiosk|12|Mannerheimintie|00100|Helsinki|+358 20 5544 000|https://r.fi|24/7|60.1712|24.9410",
        "way/456|Alepa|convenience|3|Kaivokatu|00100|Helsinki|+358 10 765 000||Mo-Su 06:00-24:00|60.1701|24.9400",
    ),
    columns(
        "en-territory", "Outlet Code:reference|Outlet Name:name|Territory:sector|Class:segment|Status:state|"
        "Call Frequency:visit_interval_days|Call Duration:visit_minutes|Street No:house_number|Street:street|Suburb:|"
        "City:city|Postcode:postcode|Last Visit:",
        "P-11|Shell Mile End|MLT-N|A|Active|14|25|12|Republic Street||Valletta|VLT 1111|2024-05-01",
        "P-12|Welbee's|MLT-S|B|Closed|28|20|7|Main Street||Mosta|MST 2222|2024-05-03",
    ),
)
