"""Resumes of our own writing: odd layouts, and what each says."""

from tests.models.resume_case import Case

TITLE_AT = Case(
    text="""\
Sofia Rossi (she/her)
Milan, Italy
sofia@rossi.example.it

About me
Designer of things that people hold in their hands, for fifteen years and counting.

Career history
Head of Design at Lampade Milano
February 2017 to now
• Runs a studio of eight

Product Designer @ Vetro Studio (Mar 2010 to Jan 2017)
• Drew the Onda lamp

Intern, Design, Officina Bianchi
Summer 2009

Training & Certifications
• Autodesk Certified Professional, 2014
""",
    name="Sofia Rossi",
    emails=["sofia@rossi.example.it"],
    phones=[],
    location="Milan, Italy",
    links=[],
    experience=[
        ("Head of Design", "Lampade Milano", "2017-02", "present", 89, 1),
        ("Product Designer", "Vetro Studio", "2010-03", "2017-01", 83, 1),
        ("Intern, Design", "Officina Bianchi", "2009-06", "2009-08", 3, 0),
    ],
    education=[],
    skills=[],
    languages=[],
    certifications=[("Autodesk Certified Professional", "2014")],
    years=14.6,
)

NO_HEADINGS = Case(
    text="""\
Kwame Mensah
Accra, Ghana
kwame.mensah@example.com

Site Manager, Volta Construction Ltd
January 2018 - Present
• Supervised forty workers on the new harbour wall and kept every one of them safe

Civil Engineer, Gold Coast Engineering Company
March 2013 - December 2017
• Designed three bridges over the river, one of which carries the railway to the north
""",
    name="Kwame Mensah",
    emails=["kwame.mensah@example.com"],
    phones=[],
    location="Accra, Ghana",
    links=[],
    experience=[
        ("Site Manager", "Volta Construction Ltd", "2018-01", "present", 78, 1),
        ("Civil Engineer", "Gold Coast Engineering Company", "2013-03", "2017-12", 58, 1),
    ],
    education=[],
    skills=[],
    languages=[],
    certifications=[],
    years=11.3,
)

CYRILLIC = Case(
    text="""\
Иван Петров
ivan.petrov@example.com
+7 495 123-45-67
Sofia, Bulgaria

E X P E R I E N C E
Acme Bulgaria EOOD — Backend Developer — 05.2017 – 11.2020
• Payment gateways
Beta Systems — Senior Backend Developer — 12.2020 – current
• Fraud checks

E D U C A T I O N
Sofia University — M.Sc. Informatics — 2015
""",
    name="Иван Петров",
    emails=["ivan.petrov@example.com"],
    phones=["+74951234567"],
    location="Sofia, Bulgaria",
    links=[],
    experience=[
        ("Backend Developer", "Acme Bulgaria EOOD", "2017-05", "2020-11", 43, 1),
        ("Senior Backend Developer", "Beta Systems", "2020-12", "present", 43, 1),
    ],
    education=[("M.Sc.", "Informatics", "Sofia University", None, "2015", None)],
    skills=[],
    languages=[],
    certifications=[],
    years=7.2,
)

NURSE = Case(
    text="""\
Grace Mbeki, RN, BSN
Cape Town, South Africa
Mobile: 021 465 1234
grace.mbeki@example.co.za

Objective
To nurse children on a ward that takes its time.

Relevant Experience

Groote Hospital                                        Cape Town
Registered Nurse, Paediatrics                          Jun 2018 - Present
  o Cares for twelve patients a shift
  o Trains new staff

Karoo Clinic                                           Beaufort West
Staff Nurse                                            Jan 2014 - May 2018
  o Gave vaccinations

Education and Training
University of Cape Town
Bachelor of Nursing                                    2010 - 2013

Licences
Registered with the Nursing Council, 2014

Interests
Rowing, choir

References
Dr Peter Smith, peter.smith@example.com, 021 400 9999
""",
    name="Grace Mbeki",
    emails=["grace.mbeki@example.co.za"],
    phones=["+27214651234"],
    location="Cape Town, South Africa",
    links=[],
    experience=[
        ("Registered Nurse, Paediatrics", "Groote Hospital", "2018-06", "present", 73, 2),
        ("Staff Nurse", "Karoo Clinic", "2014-01", "2018-05", 53, 1),
    ],
    education=[("Bachelor of Nursing", None, "University of Cape Town", "2010", "2013", None)],
    skills=[],
    languages=[],
    certifications=[("Registered with the Nursing Council", "2014")],
    years=10.5,
)

ACADEMIC = Case(
    text="""\
Prof. Dr. Chen Wei
Department of Physics, Example University
chen.wei@example.edu

Academic Appointments
Associate Professor, Example University, since 2018
Postdoctoral Researcher, Institute for Optics, Jan–Dec 2017
Research Assistant, Institute for Optics, 15/03/2013 - 31/12/2016

Degrees
Ph.D. in Physics, National University, 2013
M.Sc. in Physics, National University, 2009

Publications
On the light of stars, Journal of Optics, 2016.
""",
    name="Chen Wei",
    emails=["chen.wei@example.edu"],
    phones=[],
    location=None,
    links=[],
    experience=[
        ("Associate Professor", "Example University", "2018", "present", 78, 0),
        ("Postdoctoral Researcher", "Institute for Optics", "2017-01", "2017-12", 12, 0),
        ("Research Assistant", "Institute for Optics", "2013-03", "2016-12", 46, 0),
    ],
    education=[
        ("Ph.D.", "Physics", "National University", None, "2013", None),
        ("M.Sc.", "Physics", "National University", None, "2009", None),
    ],
    skills=[],
    languages=[],
    certifications=[],
    years=11.3,
)

COMPANY_PERIOD = Case(
    text="""\
Lena Fischer
lena.fischer@example.com
Portfolio: lenafischer.design

Skills: Figma, Sketch
Languages: German (native), English (fluent)

Experience
Blue River Media   2015 - 2021
Art Director   2018 - 2021
• Directed campaigns
Designer   2015 - 2018
• Designed banners
Red Hill Agency   2012 - 2015
Junior Designer
• Cut out pictures

Certificates
Adobe Certified Expert | 2016
""",
    name="Lena Fischer",
    emails=["lena.fischer@example.com"],
    phones=[],
    location=None,
    links=["https://lenafischer.design"],
    experience=[
        ("Art Director", "Blue River Media", "2018", "2021", 36, 1),
        ("Designer", "Blue River Media", "2015", "2018", 36, 1),
        ("Junior Designer", "Red Hill Agency", "2012", "2015", 36, 1),
    ],
    education=[],
    skills=["Figma", "Sketch"],
    languages=[("German", "native"), ("English", "fluent")],
    certifications=[("Adobe Certified Expert", "2016")],
    years=9.0,
)

SIDEBAR_FIRST = Case(
    text="""\
Contact
jane.doe@example.com
+1 415 555 0132
San Francisco, CA

Skills
Python
SQL
Tableau

Languages
English - Native
Spanish - Professional working proficiency

Jane Doe
Data Analyst

Profile
Analyst with 6 years of experience.

Experience
Data Analyst
Stripe, San Francisco, CA
Jun 2019 - Present (4 years 2 months)
Built dashboards used by 200 people.
Automated the weekly finance report

Business Intelligence Intern
Airbnb
June 2018 - August 2018 (3 months)
Helped with things

Education
UC Berkeley
Bachelor of Arts (B.A.), Economics · (2014 - 2018)
""",
    name="Jane Doe",
    emails=["jane.doe@example.com"],
    phones=["+14155550132"],
    location="San Francisco, CA",
    links=[],
    experience=[
        ("Data Analyst", "Stripe", "2019-06", "present", 61, 1),
        ("Business Intelligence Intern", "Airbnb", "2018-06", "2018-08", 3, 1),
    ],
    education=[("Bachelor of Arts", "Economics", "UC Berkeley", "2014", "2018", None)],
    skills=["Python", "SQL", "Tableau"],
    languages=[("English", "Native"), ("Spanish", "Professional working proficiency")],
    certifications=[],
    years=5.3,
)
